using System.Reflection;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Reading;

/// <summary>One key of a record.</summary>
/// <param name="IsRequired">The record cannot be without it.</param>
internal sealed record SpecProperty(PropertyInfo Property, SpecKeyAttribute Key, SpecValueType Type, bool IsRequired)
{
    public string Name => Key.Name;
}
