namespace Ferry.Cluster.Yaml;

/// <summary>A value.</summary>
/// <param name="IsPlain">Written without quotes, so that <c>null</c> and nothing at all mean that there is none.</param>
internal sealed record YamlScalar(string Text, bool IsPlain, int Line, int Column) : YamlTree(Line, Column, 1)
{
    public bool IsNull => IsPlain && Text is "" or "~" or "null" or "Null" or "NULL";
}
