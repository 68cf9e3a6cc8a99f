namespace Ferry.Cluster.Spec;

/// <summary>How a value of an enumeration stands in ferry.yaml.</summary>
[AttributeUsage(AttributeTargets.Field)]
public sealed class SpecNameAttribute(string name, string text) : Attribute
{
    public string Name { get; } = name;

    /// <summary>What it means, for the documentation.</summary>
    public string Text { get; } = text;
}
