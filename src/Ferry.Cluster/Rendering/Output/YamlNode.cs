namespace Ferry.Cluster.Rendering.Output;

/// <summary>A piece of a YAML document that is to be printed.</summary>
internal abstract class YamlNode
{
    public static implicit operator YamlNode(string text) => new YamlScalar(text, isPlain: false);

    public static implicit operator YamlNode(int number) => new YamlScalar($"{number}", isPlain: true);

    public static implicit operator YamlNode(bool value) => new YamlScalar(value ? "true" : "false", isPlain: true);
}
