using System.Text;
using Ferry.Cluster.Reading;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Schema;

/// <summary>docs/ferry-yaml.md, printed from the types themselves.</summary>
public static class SpecReference
{
    private const string Preamble = """
        # ferry.yaml

        One file describes a cluster: its model, its pools of nodes, how KV moves between them and where it is kept. `ferry lint`, `ferry render`,
        `ferry verify` and `ferry plan` read it; `ferry init` writes a first one. Complete ones stand in [examples](../examples).

        ```yaml
        name: llama-70b
        model: {id: meta-llama/Llama-3.1-70B-Instruct}
        pools:
          - name: prefill
            role: prefill
            accelerator: mi300x
            tensorParallel: 4
            nodes: [{name: prefill-0, address: 10.0.0.11}]
          - name: decode
            role: decode
            accelerator: gaudi3
            tensorParallel: 4
            nodes: [{name: decode-0, address: 10.0.0.21}]
        ```

        - **Strict.** An unknown key, a wrong type and a value out of range are errors with file, line, column and the nearest known key; all of them
          come at once. Names of vLLM, LMCache and UCX are understood in so far as the error says what the key is called here.
        - **Sizes** take a unit: `20GiB`, `500MB`, `4096` (bytes). **Rates**, too: `50GB/s`; a lower-case b means bits, `400Gb/s`.
        - **Secrets** never stand in the file: a key that needs one names a place, `{env: NAME}`, `{file: /path}`, `{docker: NAME}` or
          `{kubernetes: {name: NAME, key: KEY}}`.
        - **Sizes of the cache mean a node**, all its ranks together. LMCache's own are per rank.
        - YAML's anchors work; a second document does not.

        An editor checks and completes the file with the schema: `ferry schema > ferry.schema.json`, and as the first line of the file
        `# yaml-language-server: $schema=ferry.schema.json`.

        This page is printed by `ferry schema --reference` and compared with it by a test.

        """;

    public static string ToMarkdown()
    {
        var text = new StringBuilder(Preamble.ReplaceLineEndings("\n"));
        foreach (var (title, type, path) in Sections())
        {
            text.Append("\n## ").Append(title).Append("\n\n");
            if (path.Length > 0)
            {
                text.Append(path).Append("\n\n");
            }
            text.Append("| key | value | default | what it does |\n|---|---|---|---|\n");
            foreach (var property in type.Properties)
            {
                text.Append("| `").Append(property.Name).Append("` | ").Append(Cell(ValueOf(property))).Append(" | ").Append(Cell(DefaultOf(property, type)))
                    .Append(" | ").Append(Cell(property.Key.Text)).Append(" |\n");
            }
            AppendChoices(text, type);
        }
        return text.ToString();
    }

    /// <summary>Each record type once, in the order in which the file has them.</summary>
    private static List<(string Title, SpecRecordType Type, string Where)> Sections()
    {
        var root = SpecRecordType.Of(typeof(ClusterSpec));
        var places = new Dictionary<Type, List<string>>();
        foreach (var (path, property) in root.Descend())
        {
            var (type, suffix) = property.Type.Kind switch
            {
                SpecValueKind.List => (property.Type.Item!, "[]"),
                SpecValueKind.Map => (property.Type.Item!, ".NAME"),
                _ => (property.Type, ""),
            };
            if (type.Kind == SpecValueKind.Record)
            {
                (places.TryGetValue(type.Clr, out var paths) ? paths : places[type.Clr] = []).Add(path.Replace(".*", ".NAME", StringComparison.Ordinal) + suffix);
            }
        }
        List<(string, SpecRecordType, string)> sections = [("The file", root, "")];
        foreach (var (type, paths) in places)
        {
            sections.Add(paths.Count == 1
                ? ($"`{paths[0]}`", SpecRecordType.Of(type), "")
                : (type == typeof(SecretSpec) ? "Secrets" : type == typeof(KubernetesSecretSpec) ? "Secrets of Kubernetes" : $"`{paths[0]}`", SpecRecordType.Of(type), $"In {string.Join(", ", paths.Select(path => $"`{path}`"))}."));
        }
        return sections;
    }

    private static void AppendChoices(StringBuilder text, SpecRecordType type)
    {
        foreach (var property in type.Properties.Where(property => property.Type.Kind == SpecValueKind.Choice))
        {
            text.Append("\n`").Append(property.Name).Append("`:\n\n");
            foreach (var (name, meaning, _) in SpecChoices.Of(property.Type.Clr))
            {
                text.Append("- `").Append(name).Append("`: ").Append(meaning).Append('\n');
            }
        }
    }

    private static string ValueOf(SpecProperty property)
    {
        var (type, key) = (property.Type, property.Key);
        return type.Kind switch
        {
            SpecValueKind.Record => "see below",
            SpecValueKind.List => type.Item!.Kind == SpecValueKind.Record ? "list, see below" : $"list of {Scalar(type.Item, key)}",
            SpecValueKind.Map => type.Item!.Kind == SpecValueKind.Record ? "mapping, see below" : $"mapping of names to {Scalar(type.Item, key)}",
            _ => Scalar(type, key),
        };
    }

    private static string Scalar(SpecValueType type, SpecKeyAttribute key)
    {
        var word = type.Kind switch
        {
            SpecValueKind.Text => key.PatternText.Length > 0 ? key.PatternText : "text",
            SpecValueKind.Choice => string.Join(" \\| ", SpecChoices.Of(type.Clr).Select(choice => $"`{choice.Name}`")),
            SpecValueKind.Boolean => "`true` \\| `false`",
            SpecValueKind.Bytes => "size",
            SpecValueKind.Rate => "rate",
            SpecValueKind.Integer => "whole number",
            _ => "number",
        };
        var isNumber = type.Kind is SpecValueKind.Integer or SpecValueKind.Real or SpecValueKind.Bytes or SpecValueKind.Rate;
        return isNumber && !double.IsInfinity(key.Maximum) ? $"{word}, {SpecScalars.Range(type, key).Replace("lie in ", "", StringComparison.Ordinal)}" : word;
    }

    private static string DefaultOf(SpecProperty property, SpecRecordType type)
    {
        if (property.IsRequired)
        {
            return "required";
        }
        return property.Key.DefaultText.Length > 0 ? property.Key.DefaultText
            : type.DefaultOf(property) is { } value && property.Type.Kind is not (SpecValueKind.Record or SpecValueKind.List or SpecValueKind.Map)
                ? SpecDefaults.ToText(value, property.Type.Kind) is { Length: > 0 } text ? $"`{text}`" : "empty"
                : property.Type.Kind == SpecValueKind.Record && type.DefaultOf(property) is not null ? "its defaults" : "none";
    }

    private static string Cell(string text) => text.Replace("\n", " ", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
