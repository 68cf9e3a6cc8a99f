using YamlDotNet.RepresentationModel;

namespace Ferry.Router.Configuration;

/// <summary>Reads router.yaml onto options: every error of the file at once, each with file, line and column.</summary>
internal static class RouterConfigFile
{
    private static readonly string[] NodeLists = ["prefill", "decode"];

    public static RouterOptions Read(string text, string path, RouterOptions options, List<string> errors)
    {
        var root = YamlPlace.Parse(text, path, errors);
        return root is null ? options : ReadMapping(root, path, "", options, errors);
    }

    /// <summary>The file of discovery: the two lists and nothing else.</summary>
    public static RouterOptions ReadNodes(string text, string path, List<string> errors)
    {
        var options = new RouterOptions();
        foreach (var (key, value) in YamlPlace.Parse(text, path, errors) ?? [])
        {
            var name = (key as YamlScalarNode)?.Value ?? "";
            if (!NodeLists.Contains(name))
            {
                errors.Add($"{YamlPlace.Of(path, key)}: unknown key '{name}'.{SettingValue.Hint(name, NodeLists)} Known: prefill, decode.");
                continue;
            }
            options = ReadList(value, path, name, options, errors);
        }
        return options;
    }

    private static RouterOptions ReadMapping(YamlMappingNode mapping, string path, string prefix, RouterOptions options, List<string> errors)
    {
        foreach (var (keyNode, value) in mapping)
        {
            if (keyNode is not YamlScalarNode { Value: { } name })
            {
                errors.Add($"{YamlPlace.Of(path, keyNode)}: a key must be a word.");
                continue;
            }
            var key = prefix.Length == 0 ? name : $"{prefix}.{name}";
            if (NodeLists.Contains(key))
            {
                options = ReadList(value, path, key, options, errors);
            }
            else if (RouterSettings.Find(key) is { } setting)
            {
                options = ReadValue(setting, value, path, options, errors);
            }
            else if (!RouterSettings.All.Any(known => known.Key.StartsWith(key + ".", StringComparison.Ordinal)))
            {
                errors.Add($"{YamlPlace.Of(path, keyNode)}: unknown key '{key}'.{Nearest(key, prefix)}");
            }
            else if (value is YamlMappingNode inner)
            {
                options = ReadMapping(inner, path, key, options, errors);
            }
            else
            {
                errors.Add($"{YamlPlace.Of(path, value)}: {key} must be a mapping, with the keys {string.Join(", ", Children(key))}.");
            }
        }
        return options;
    }

    private static RouterOptions ReadValue(RouterSetting setting, YamlNode value, string path, RouterOptions options, List<string> errors)
    {
        if (value is not YamlScalarNode { Value: { } text })
        {
            errors.Add($"{YamlPlace.Of(path, value)}: {setting.Key} must be one value ({setting.ValueName}).");
            return options;
        }
        var wrong = setting.TryApply(text, options, out var applied);
        if (wrong is not null)
        {
            errors.Add($"{YamlPlace.Of(path, value)}: {setting.Key} {wrong}");
            return options;
        }
        return applied;
    }

    private static RouterOptions ReadList(YamlNode value, string path, string name, RouterOptions options, List<string> errors)
    {
        var nodes = NodeListReader.Read(value, path, name, errors);
        return name == "prefill" ? options with { Prefill = nodes } : options with { Decode = nodes };
    }

    /// <summary>The nearest key at this place of the file, else the nearest of all.</summary>
    private static string Nearest(string key, string prefix)
    {
        var here = Children(prefix).Concat(prefix.Length == 0 ? NodeLists : []).Select(child => prefix.Length == 0 ? child : $"{prefix}.{child}");
        var hint = SettingValue.Hint(key, here);
        if (hint.Length > 0)
        {
            return hint;
        }
        var last = key[(key.LastIndexOf('.') + 1)..];
        var elsewhere = RouterSettings.All.FirstOrDefault(setting => setting.Key.EndsWith("." + last, StringComparison.Ordinal) || setting.Flag[2..] == last);
        return elsewhere is not null ? $" Did you mean '{elsewhere.Key}'?" : SettingValue.Hint(key, RouterSettings.All.Select(setting => setting.Key));
    }

    private static IEnumerable<string> Children(string prefix) =>
        RouterSettings.All.Where(setting => prefix.Length == 0 || setting.Key.StartsWith(prefix + ".", StringComparison.Ordinal))
            .Select(setting => setting.Key[(prefix.Length == 0 ? 0 : prefix.Length + 1)..].Split('.')[0]).Distinct();
}
