using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Reading;

/// <summary>What a key takes: its kind, and what is inside it.</summary>
/// <param name="Kind">What stands in the file.</param>
/// <param name="Clr">The type in the record, without its nullability.</param>
/// <param name="Item">Of lists and mappings: what their items are.</param>
internal sealed record SpecValueType(SpecValueKind Kind, Type Clr, SpecValueType? Item = null)
{
    /// <exception cref="NotSupportedException">A property of a record has a type that ferry.yaml knows no form for.</exception>
    public static SpecValueType Of(Type type, SpecUnit unit)
    {
        var inner = Nullable.GetUnderlyingType(type) ?? type;
        if (inner == typeof(string))
        {
            return new(SpecValueKind.Text, inner);
        }
        if (inner == typeof(bool))
        {
            return new(SpecValueKind.Boolean, inner);
        }
        if (inner == typeof(int) || inner == typeof(long))
        {
            return new(unit switch { SpecUnit.Bytes => SpecValueKind.Bytes, SpecUnit.BytesPerSecond => SpecValueKind.Rate, _ => SpecValueKind.Integer }, inner);
        }
        if (inner == typeof(double))
        {
            return new(SpecValueKind.Real, inner);
        }
        if (inner.IsEnum)
        {
            return new(SpecValueKind.Choice, inner);
        }
        if (inner.IsGenericType && inner.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
        {
            return new(SpecValueKind.List, inner, Of(inner.GenericTypeArguments[0], unit));
        }
        if (inner.IsGenericType && inner.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>))
        {
            return new(SpecValueKind.Map, inner, Of(inner.GenericTypeArguments[1], unit));
        }
        return inner.Namespace == typeof(ClusterSpec).Namespace
            ? new(SpecValueKind.Record, inner)
            : throw new NotSupportedException($"{inner} has no form in ferry.yaml.");
    }
}
