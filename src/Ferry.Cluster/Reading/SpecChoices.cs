using System.Collections.Concurrent;
using System.Reflection;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Reading;

/// <summary>The names of an enumeration's values in ferry.yaml.</summary>
internal static class SpecChoices
{
    private static readonly ConcurrentDictionary<Type, IReadOnlyList<(string Name, string Text, object Value)>> All = new();

    public static IReadOnlyList<(string Name, string Text, object Value)> Of(Type type) => All.GetOrAdd(
        type,
        static type => [.. type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(field =>
        {
            var name = field.GetCustomAttribute<SpecNameAttribute>() ?? throw new NotSupportedException($"{type}.{field.Name} has no [SpecName].");
            return (name.Name, name.Text, field.GetValue(null)!);
        })]);

    /// <summary>The name of a value.</summary>
    public static string NameOf(object value) => Of(value.GetType()).First(choice => choice.Value.Equals(value)).Name;
}
