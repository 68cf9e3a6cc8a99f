using System.Collections;
using Ferry.Cluster.Spec;
using Ferry.Cluster.Yaml;
using Ferry.Kv.Settings;

namespace Ferry.Cluster.Reading;

/// <summary>Makes records from a tree: every error at once, each with its place; where each value stands is kept.</summary>
internal sealed class SpecReader(string file)
{
    /// <summary>Errors that are worth reading; the file that has more is another kind of file.</summary>
    private const int MaximumErrors = 100;

    private readonly List<SpecError> _errors = [];
    private readonly Dictionary<string, SpecPlace> _places = new(StringComparer.Ordinal);

    public IReadOnlyList<SpecError> Errors => _errors;

    public SpecSource Source => new(file, _places);

    public void Error(int line, int column, string path, string text)
    {
        if (_errors.Count < MaximumErrors)
        {
            _errors.Add(new SpecError(file, line, column, path, text));
        }
    }

    /// <summary>An error at a value that was read.</summary>
    public void ErrorAt(string path, string text)
    {
        var place = Source.Find(path);
        Error(place.ValueLine, place.ValueColumn, path, text);
    }

    /// <summary>A record of <paramref name="type"/>. Where something is wrong it has its default, or nothing where it is required: use it only without errors.</summary>
    public object ReadRecord(YamlTree node, SpecRecordType type, string path)
    {
        var map = node as YamlMap ?? (node is YamlScalar { IsNull: true } ? new YamlMap([], node.Line, node.Column, 1) : null);
        if (map is null)
        {
            Error(node.Line, node.Column, path, $"{Named(path)} must be a mapping with the keys {string.Join(", ", type.Properties.Select(property => property.Name))}.");
            return type.Create();
        }
        var record = Start(map, type);
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (key, value) in map.Entries)
        {
            var inner = Join(path, key.Text);
            if (!seen.TryAdd(key.Text, key.Line))
            {
                Error(key.Line, key.Column, inner, $"{inner} stands in line {seen[key.Text]} already.");
            }
            else if (type.Find(key.Text) is not { } property)
            {
                Error(key.Line, key.Column, inner, $"unknown key '{SpecScalars.Shown(key.Text)}'{(path.Length > 0 ? $" in {path}" : "")}.{Hint(key.Text, type)}");
            }
            else
            {
                Place(inner, key, value);
                if (ReadValue(value, property.Type, property.Key, inner) is { } read)
                {
                    property.Property.SetValue(record, read);
                }
            }
        }
        foreach (var missing in type.Properties.Where(property => property.IsRequired && !seen.ContainsKey(property.Name)))
        {
            Error(map.Line, map.Column, Join(path, missing.Name), $"{Named(path)} has no {missing.Name}. {missing.Key.Text}{(missing.Key.Example.Length > 0 ? $" Example: {missing.Name}: {missing.Key.Example}" : "")}");
        }
        CheckAlternatives(record, map, path);
        return record;
    }

    private object? ReadValue(YamlTree node, SpecValueType type, SpecKeyAttribute key, string path)
    {
        switch (type.Kind)
        {
            case SpecValueKind.Record:
                return ReadRecord(node, SpecRecordType.Of(type.Clr), path);
            case SpecValueKind.List:
                return ReadList(node, type, key, path);
            case SpecValueKind.Map:
                return ReadMap(node, type, key, path);
            default:
                if (node is not YamlScalar scalar)
                {
                    Error(node.Line, node.Column, path, $"{path} must be one value: {SpecScalars.Expected(type, key)}.");
                    return null;
                }
                var value = SpecScalars.TryRead(scalar, type, key, out var wrong);
                if (wrong is not null)
                {
                    Error(node.Line, node.Column, path, $"{path} {wrong}");
                }
                return value;
        }
    }

    private IList? ReadList(YamlTree node, SpecValueType type, SpecKeyAttribute key, string path)
    {
        if (node is not YamlList list)
        {
            Error(node.Line, node.Column, path, $"{path} must be a list.");
            return null;
        }
        if (list.Items.Count < key.MinimumItems || list.Items.Count > key.MaximumItems)
        {
            Error(node.Line, node.Column, path, $"{path} has {list.Items.Count} items; it must have {key.MinimumItems} to {key.MaximumItems}.");
            return null;
        }
        var items = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(type.Item!.Clr))!;
        for (var index = 0; index < list.Items.Count; index++)
        {
            var inner = $"{path}[{index}]";
            Place(inner, list.Items[index], list.Items[index]);
            if (ReadValue(list.Items[index], type.Item, key, inner) is { } item)
            {
                items.Add(item);
            }
        }
        return items;
    }

    private IDictionary? ReadMap(YamlTree node, SpecValueType type, SpecKeyAttribute key, string path)
    {
        if (node is YamlScalar { IsNull: true })
        {
            return null;
        }
        if (node is not YamlMap map)
        {
            Error(node.Line, node.Column, path, $"{path} must be a mapping of names to values.");
            return null;
        }
        if (map.Entries.Count > key.MaximumItems)
        {
            Error(node.Line, node.Column, path, $"{path} has {map.Entries.Count} entries; it may have {key.MaximumItems}.");
            return null;
        }
        var entries = (IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(typeof(string), type.Item!.Clr))!;
        foreach (var (name, value) in map.Entries)
        {
            var inner = Join(path, name.Text);
            if (name.Text.Length == 0 || name.Text.Length > 253 || name.Text.Any(character => char.IsControl(character) || char.IsWhiteSpace(character)))
            {
                Error(name.Line, name.Column, inner, $"'{SpecScalars.Shown(name.Text)}' in {path} is no name: it must have 1 to 253 characters and no blanks.");
            }
            else if (entries.Contains(name.Text))
            {
                Error(name.Line, name.Column, inner, $"{inner} stands there twice.");
            }
            else
            {
                Place(inner, name, value);
                if (ReadValue(value, type.Item, key, inner) is { } read)
                {
                    entries.Add(name.Text, read);
                }
            }
        }
        return entries;
    }

    /// <summary>The defaults that a record starts from: of its type, or of the profile that it names as its base.</summary>
    private static object Start(YamlMap map, SpecRecordType type)
    {
        var record = type.Create();
        if (record is AcceleratorProfile
            && map.Entries.FirstOrDefault(entry => entry.Key.Text == "base").Value is YamlScalar { Text: var name }
            && AcceleratorProfiles.ByName.TryGetValue(name, out var known))
        {
            return known with { };
        }
        return record;
    }

    /// <summary>Records of which one key excludes the others.</summary>
    private void CheckAlternatives(object record, YamlMap map, string path)
    {
        if (record is SecretSpec && map.Entries.Count != 1)
        {
            Error(map.Line, map.Column, path, $"{path} must name exactly one place of the secret: env, file, docker or kubernetes.");
        }
        if (record is StorageSpec && map.Entries.Count > 1)
        {
            Error(map.Line, map.Column, path, $"{path} names {string.Join(" and ", map.Entries.Select(entry => entry.Key.Text))}; the nodes share one tier: keep one of s3, redis and directory.");
        }
    }

    /// <summary>The nearest key here; else where such a key does belong.</summary>
    private static string Hint(string unknown, SpecRecordType type)
    {
        var other = SpecForeignNames.Find(unknown);
        if (other is not null)
        {
            return $" Did you mean {other}?";
        }
        var here = NameHint.Of(unknown, type.Properties.Select(property => property.Name));
        if (here.Length > 0)
        {
            return here;
        }
        var everywhere = SpecRecordType.Of(typeof(ClusterSpec)).Descend().ToList();
        var elsewhere = everywhere.FirstOrDefault(entry => entry.Property.Name == unknown).Path
            ?? everywhere.FirstOrDefault(entry => entry.Property.Name == Ferry.Kv.Text.NearestName.Find(unknown, everywhere.Select(known => known.Property.Name))).Path;
        return elsewhere is not null ? $" Did you mean {elsewhere}?" : $" Known: {string.Join(", ", type.Properties.Select(property => property.Name))}.";
    }

    private void Place(string path, YamlTree key, YamlTree value) => _places[path] = new SpecPlace(key.Line, key.Column, value.Line, value.Column);

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static string Named(string path) => path.Length == 0 ? "the file" : path;
}
