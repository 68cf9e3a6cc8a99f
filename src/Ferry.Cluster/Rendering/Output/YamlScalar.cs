namespace Ferry.Cluster.Rendering.Output;

/// <summary>A string, quoted where YAML would take it for something else; or, plain, a number or a truth value.</summary>
internal sealed class YamlScalar(string text, bool isPlain) : YamlNode
{
    public string Text => text;

    public bool IsPlain => isPlain;

    /// <summary>Written with <c>|</c>, line for line: scripts and files within a document.</summary>
    public bool IsBlock { get; init; }

    public static YamlScalar Lines(string text) => new(text, isPlain: false) { IsBlock = true };
}
