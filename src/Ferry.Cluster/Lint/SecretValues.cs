using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint;

/// <summary>Every secret value in the files, so that no message, quoted line or diff shows one.</summary>
internal sealed class SecretValues
{
    public const string Mask = "***";

    /// <summary>Shorter values would blot out half a message and protect nothing.</summary>
    private const int MinLength = 4;

    private readonly string[] _values;

    /// <param name="values">Placeholders, variables and short words among them are left out.</param>
    public SecretValues(IEnumerable<string> values) => _values = [.. values
        .Where(value => value.Length >= MinLength && !IsPlaceholder(value)).Distinct(StringComparer.Ordinal).OrderByDescending(value => value.Length)];

    public static SecretValues None { get; } = new([]);

    /// <summary>The text with every secret in it masked.</summary>
    public string Redact(string text)
    {
        foreach (var value in _values)
        {
            if (text.Contains(value, StringComparison.Ordinal)) { text = text.Replace(value, Mask, StringComparison.Ordinal); }
        }
        return text;
    }

    /// <summary>The secrets of all processes: values under secret names, and passwords inside URLs.</summary>
    public static SecretValues Of(ObservedCluster cluster, IEnumerable<SourcedText> others)
    {
        var values = others.Select(text => text.Value).ToList();
        foreach (var process in cluster.Processes)
        {
            values.AddRange(process.Environment.All.Where(setting => setting.IsSecret && setting.Value is not null).Select(setting => setting.Value!.Value));
            values.AddRange(process.Arguments.Flags.Where(flag => flag.Value is not null && SecretNames.IsSecret(flag.Name.Value)).Select(flag => flag.Value!.Value));
            values.AddRange(process.LmCache.All.Where(setting => SecretNames.IsSecret(setting.Key)).Select(setting => setting.Value.Value));
            values.AddRange(InJson(process.LmCache.Extra));
            values.AddRange(InJson((process.KvTransfer ?? process.FerryTransfer)?.Json));
            values.AddRange(process.Environment.All.Select(setting => InUrl(setting.Value?.Value)).OfType<string>());
            values.AddRange(process.LmCache.All.Select(setting => InUrl(setting.Value.Value)).OfType<string>());
        }
        return new SecretValues(values);
    }

    /// <summary>A value that stands for one to fill in: <c>&lt;access-key&gt;</c>, <c>$KEY</c>, <c>changeme</c> is not one.</summary>
    public static bool IsPlaceholder(string value) =>
        value.Length == 0 || value[0] is '<' or '$' || value.StartsWith("{{", StringComparison.Ordinal) || value.All(c => c is '*' or 'x' or 'X' or '.');

    /// <summary>The password of <c>scheme://user:password@host</c>, or null.</summary>
    public static string? InUrl(string? value)
    {
        if (value is null || value.IndexOf("://", StringComparison.Ordinal) is var scheme && scheme < 0) { return null; }
        var authority = value[(scheme + 3)..].Split('/', 2)[0];
        var at = authority.LastIndexOf('@');
        var colon = at < 0 ? -1 : authority.IndexOf(':', StringComparison.Ordinal);
        return colon >= 0 && colon < at ? authority[(colon + 1)..at] : null;
    }

    private static IEnumerable<string> InJson(DataNode? json)
    {
        if (json is null) { return []; }
        return json.Members.Where(member => member.Value.Kind == DataKind.String && SecretNames.IsSecret(member.Key.Value)).Select(member => member.Value.Text.Value)
            .Concat(json.Members.SelectMany(member => InJson(member.Value))).Concat(json.Items.SelectMany(InJson));
    }
}
