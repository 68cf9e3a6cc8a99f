using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Reading;

/// <summary>The keys of one record type, found once: what the reader, the schema and the reference page are made from.</summary>
internal sealed class SpecRecordType
{
    private static readonly ConcurrentDictionary<Type, SpecRecordType> All = new();

    private SpecRecordType(Type type)
    {
        Type = type;
        Properties = [.. type.GetProperties().Select(property => (property, key: property.GetCustomAttribute<SpecKeyAttribute>()))
            .Where(entry => entry.key is not null)
            .Select(entry => new SpecProperty(entry.property, entry.key!, SpecValueType.Of(entry.property.PropertyType, entry.key!.Unit), entry.property.IsDefined(typeof(RequiredMemberAttribute))))];
    }

    public Type Type { get; }

    public IReadOnlyList<SpecProperty> Properties { get; }

    public static SpecRecordType Of(Type type) => All.GetOrAdd(type, static type => new SpecRecordType(type));

    /// <summary>A record with its defaults; what is required is still null or zero.</summary>
    public object Create() => Activator.CreateInstance(Type)!;

    public SpecProperty? Find(string name) => Properties.FirstOrDefault(property => property.Name == name);

    /// <summary>The value that a key has when the file leaves it out; null for none.</summary>
    public object? DefaultOf(SpecProperty property) => property.IsRequired ? null : property.Property.GetValue(Create());

    /// <summary>Every key below this record, with its path: lists as <c>pools[]</c>, mappings as <c>profiles.*</c>.</summary>
    public IEnumerable<(string Path, SpecProperty Property)> Descend(string prefix = "")
    {
        foreach (var property in Properties)
        {
            var path = prefix.Length == 0 ? property.Name : $"{prefix}.{property.Name}";
            yield return (path, property);
            var (inner, below) = property.Type.Kind switch
            {
                SpecValueKind.List => (property.Type.Item!, path + "[]"),
                SpecValueKind.Map => (property.Type.Item!, path + ".*"),
                _ => (property.Type, path),
            };
            if (inner.Kind == SpecValueKind.Record)
            {
                foreach (var entry in Of(inner.Clr).Descend(below))
                {
                    yield return entry;
                }
            }
        }
    }
}
