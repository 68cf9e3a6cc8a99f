namespace Ferry.Cluster.Yaml;

/// <summary>Why a text is no document of ours.</summary>
internal sealed class YamlRefusal(int line, int column, string message) : Exception(message)
{
    public int Line { get; } = line;

    public int Column { get; } = column;
}
