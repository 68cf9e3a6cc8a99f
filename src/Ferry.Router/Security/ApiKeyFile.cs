using System.Globalization;
using Ferry.Router.Configuration;
using YamlDotNet.RepresentationModel;

namespace Ferry.Router.Security;

/// <summary>Reads the file of API keys: their hashes and limits, never the keys themselves.</summary>
internal static class ApiKeyFile
{
    private const int HashCharacters = 64;

    /// <summary>Key, value, what it does: for the documentation.</summary>
    public static IReadOnlyList<(string Key, string Value, string Text)> Keys { get; } =
    [
        ("name", "NAME", "Who it is: in logs, metrics and queues. Needed; several keys may have one name, and then share its limits."),
        ("sha256", "HEX", "SHA-256 of the key, 64 hex digits. Needed."),
        ("weight", "X", "Share of the router when requests queue, 0.01..1000. Default: 1."),
        ("leastPriority", "N", "Least priority number that it may ask for. Default: none."),
        ("requestsPerMinute", "N", "0: no limit. Default."),
        ("tokensPerMinute", "N", "Prompt and generated tokens, as the nodes report them; 0: no limit. Default."),
        ("maxInFlight", "N", "Requests at a time; 0: no limit. Default."),
    ];

    public static List<ApiKeyEntry> Read(string text, string path, List<string> errors)
    {
        var entries = new List<ApiKeyEntry>();
        foreach (var (key, value) in YamlPlace.Parse(text, path, errors) ?? [])
        {
            if (key is not YamlScalarNode { Value: "keys" } || value is not YamlSequenceNode list)
            {
                errors.Add($"{YamlPlace.Of(path, key)}: the file has one key, 'keys', with a list.");
                continue;
            }
            foreach (var item in list)
            {
                if (item is YamlMappingNode mapping && ReadEntry(mapping, path, errors) is { } entry) { entries.Add(entry); }
                else if (item is not YamlMappingNode) { errors.Add($"{YamlPlace.Of(path, item)}: a key is a mapping with name and sha256."); }
            }
        }
        foreach (var twice in entries.GroupBy(entry => entry.Sha256).Where(group => group.Count() > 1))
        {
            errors.Add($"{path}: the keys of {string.Join(" and ", twice.Select(entry => $"'{entry.Name}'"))} are the same.");
        }
        return entries;
    }

    private static ApiKeyEntry? ReadEntry(YamlMappingNode mapping, string path, List<string> errors)
    {
        var errorCount = errors.Count;
        var entry = new ApiKeyEntry("", "");
        foreach (var (key, value) in mapping)
        {
            var (name, text) = ((key as YamlScalarNode)?.Value ?? "", (value as YamlScalarNode)?.Value ?? "");
            entry = name switch
            {
                "name" => entry with { Name = text },
                "sha256" => entry with { Sha256 = text.ToLowerInvariant() },
                "weight" => entry with { Weight = Number(value, path, name, text, 0.01, 1000, errors) },
                "leastPriority" => entry with { LeastPriority = (int)Number(value, path, name, text, -1000, 1000, errors) },
                "requestsPerMinute" => entry with { RequestsPerMinute = (int)Number(value, path, name, text, 0, int.MaxValue, errors) },
                "tokensPerMinute" => entry with { TokensPerMinute = (int)Number(value, path, name, text, 0, int.MaxValue, errors) },
                "maxInFlight" => entry with { MaxInFlight = (int)Number(value, path, name, text, 0, int.MaxValue, errors) },
                _ => Unknown(entry, key, path, name, errors),
            };
        }
        if (entry.Name.Length is 0 or > 128)
        {
            errors.Add($"{YamlPlace.Of(path, mapping)}: a key needs a name of 1 to 128 characters.");
        }
        if (entry.Sha256.Length != HashCharacters || !entry.Sha256.All(char.IsAsciiHexDigit))
        {
            // What stands there may be the key itself: it is not repeated.
            errors.Add($"{YamlPlace.Of(path, mapping)}: sha256 of '{entry.Name}' must be {HashCharacters} hex digits, the hash of the key and not the key. `ferry route --new-api-key NAME` makes both.");
        }
        return errors.Count == errorCount ? entry : null;
    }

    private static ApiKeyEntry Unknown(ApiKeyEntry entry, YamlNode key, string path, string name, List<string> errors)
    {
        errors.Add($"{YamlPlace.Of(path, key)}: unknown key '{name}'.{SettingValue.Hint(name, Keys.Select(known => known.Key))}");
        return entry;
    }

    private static double Number(YamlNode value, string path, string name, string text, double minimum, double maximum, List<string> errors)
    {
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= minimum && number <= maximum) { return number; }
        errors.Add(string.Create(CultureInfo.InvariantCulture, $"{YamlPlace.Of(path, value)}: {name} is '{text}'; it must lie in {minimum}..{maximum}."));
        return minimum;
    }
}
