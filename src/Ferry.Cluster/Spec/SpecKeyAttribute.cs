namespace Ferry.Cluster.Spec;

/// <summary>A key of ferry.yaml. The reader, the JSON schema and docs/ferry-yaml.md are all made from these, so that none can lag behind.</summary>
/// <param name="name">The key as it stands in the file.</param>
/// <param name="text">What it does, as one or two sentences.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SpecKeyAttribute(string name, string text) : Attribute
{
    public string Name { get; } = name;

    public string Text { get; } = text;

    /// <summary>How a number is written: plainly, or with a unit.</summary>
    public SpecUnit Unit { get; init; }

    /// <summary>Least number, in the property's own unit (bytes, bytes a second, seconds).</summary>
    public double Minimum { get; init; } = double.NegativeInfinity;

    public double Maximum { get; init; } = double.PositiveInfinity;

    /// <summary>Of a text: what it must match, whole.</summary>
    public string Pattern { get; init; } = "";

    /// <summary>What <see cref="Pattern"/> means, as the end of "it must be …".</summary>
    public string PatternText { get; init; } = "";

    /// <summary>Least number of items of a list.</summary>
    public int MinimumItems { get; init; }

    /// <summary>Most items of a list or a mapping.</summary>
    public int MaximumItems { get; init; } = 256;

    /// <summary>A value as an example would write it.</summary>
    public string Example { get; init; } = "";

    /// <summary>The default in words, where it follows from other keys.</summary>
    public string DefaultText { get; init; } = "";
}
