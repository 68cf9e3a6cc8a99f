using System.Text.RegularExpressions;
using Ferry.Cluster.Inputs.Processes;
using Ferry.Cluster.Inputs.Yaml;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs;

/// <summary>Says what a text is by what stands in it; the name of its file only decides what content leaves open.</summary>
internal static partial class FileKinds
{
    private static readonly string[] ShellSigns = ["docker run", "podman run", "nerdctl run", "vllm serve", "python -m vllm", "python3 -m vllm", "lmcache server", "lmcache_server", "ferry "];

    /// <param name="path">The file's, or empty for a text inside another.</param>
    public static FileKind Of(SourcedText text, string path) => Of(text, path, [], out _);

    /// <param name="defects">Takes what is wrong with it as YAML, if it had to be read as that.</param>
    /// <param name="documents">What it was read as; null where it is no YAML.</param>
    public static FileKind Of(SourcedText text, string path, List<SourceDefect> defects, out IReadOnlyList<DataNode>? documents)
    {
        documents = null;
        var value = text.Value;
        var name = Path.GetFileName(path);
        if (IsEmpty(value)) { return FileKind.Empty; }
        if (value.StartsWith("#!", StringComparison.Ordinal)) { return FileKind.Shell; }
        if (name.EndsWith(".md", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".markdown", StringComparison.OrdinalIgnoreCase)) { return FileKind.Markdown; }
        if (name.EndsWith(".sh", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".bash", StringComparison.OrdinalIgnoreCase)) { return FileKind.Shell; }
        if (EnvFileReader.IsEnvFile(value)) { return FileKind.EnvFile; }
        var isYamlName = name.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".yml", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".json", StringComparison.OrdinalIgnoreCase);
        if (TemplateAction().IsMatch(value) && (isYamlName || LooksLikeYaml(value))) { return FileKind.Template; }
        if (!isYamlName && HasFence(value)) { return FileKind.Markdown; }
        if (!isYamlName && HasShellSign(value) && !LooksLikeYaml(value)) { return FileKind.Shell; }
        documents = YamlReader.Read(text, defects);
        return OfYaml(documents) is var kind && kind != FileKind.Unknown ? kind : isYamlName ? FileKind.OtherYaml : HasShellSign(value) ? FileKind.Shell : FileKind.Unknown;
    }

    /// <summary>The kind of one YAML document.</summary>
    public static FileKind Of(DataNode root)
    {
        if (root.Kind != DataKind.Object) { return FileKind.Unknown; }
        if (root.Member("apiVersion") is not null && root.Member("kind") is not null) { return FileKind.Kubernetes; }
        if (root.Find("services") is { Kind: DataKind.Object }) { return FileKind.Compose; }
        if (root.Find("pools") is { Kind: DataKind.Array } && (root.Member("model") is not null || root.Member("name") is not null)) { return FileKind.FerryYaml; }
        if (root.Find("listen") is not null && (root.Find("prefill") ?? root.Find("decode") ?? root.Find("nodes") ?? root.Find("pairs")) is not null) { return FileKind.FerryConfig; }
        if (root.Members.Count == 1 && root.Find("models") is { Kind: DataKind.Object or DataKind.Array }) { return FileKind.FerryConfig; }
        var known = root.Members.Count(member => LmCacheKeys.Find(member.Key.Value) is not null);
        return known > 0 && known * 2 >= root.Members.Count ? FileKind.LmCacheYaml : FileKind.OtherYaml;
    }

    private static FileKind OfYaml(IReadOnlyList<DataNode> documents)
    {
        var kind = FileKind.Unknown;
        foreach (var document in documents)
        {
            var own = Of(document);
            if (own is not (FileKind.Unknown or FileKind.OtherYaml)) { return own; }
            if (own == FileKind.OtherYaml) { kind = own; }
        }
        return kind;
    }

    /// <summary>An action of Helm or Jinja; <c>{{name}}</c> alone is a legend of Grafana.</summary>
    [GeneratedRegex(@"\{\{-?\s*(\.|\$|if\b|else\b|end\b|range\b|with\b|include\b|define\b|template\b|toYaml\b|tpl\b|default\b|quote\b)|\{%-?\s*\w")]
    private static partial Regex TemplateAction();

    private static bool IsEmpty(string value)
    {
        foreach (var line in value.AsSpan().EnumerateLines())
        {
            var trimmed = line.Trim();
            if (trimmed.Length > 0 && (trimmed[0] != '#' || trimmed.StartsWith("#!"))) { return false; }
        }
        return true;
    }

    private static bool HasFence(string value) => value.StartsWith("```", StringComparison.Ordinal) || value.Contains("\n```", StringComparison.Ordinal);

    private static bool HasShellSign(string value) => ShellSigns.Any(sign => value.Contains(sign, StringComparison.Ordinal));

    /// <summary>The first line that is no comment begins with a key, a mark of documents or a brace.</summary>
    private static bool LooksLikeYaml(string value)
    {
        foreach (var line in value.AsSpan().EnumerateLines())
        {
            var trimmed = line.Trim();
            if (trimmed.Length == 0 || trimmed[0] == '#') { continue; }
            if (trimmed.SequenceEqual("---") || trimmed[0] == '{') { return true; }
            var colon = trimmed.IndexOf(':');
            return colon > 0 && (colon == trimmed.Length - 1 || trimmed[colon + 1] == ' ') && !trimmed[..colon].Contains(' ');
        }
        return false;
    }
}
