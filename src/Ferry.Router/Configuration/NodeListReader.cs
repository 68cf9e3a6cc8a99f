using System.Globalization;
using Ferry.Router.Discovery;
using YamlDotNet.RepresentationModel;

namespace Ferry.Router.Configuration;

/// <summary>Reads the lists <c>prefill</c> and <c>decode</c>: URLs, or mappings with a URL and what else is known of the node.</summary>
internal static class NodeListReader
{
    private const int MaxNodes = 1024;

    /// <summary>Key, value and what it does, for the documentation.</summary>
    public static IReadOnlyList<(string Key, string Value, string Text)> Keys { get; } =
    [
        ("url", "URL", "http://HOST:PORT or https://HOST:PORT of the node. Needed."),
        ("weight", "X", "Share of the load, 0.01..100; 2 takes twice what 1 takes. Default: 1."),
        ("kvEvents", "tcp://HOST:PORT", "Where the engine publishes KV events. Default: prefix.eventsPort at the node's host."),
        ("kvReplay", "tcp://HOST:PORT", "Where it replays missed ones. Default: prefix.replayPort at the node's host."),
        ("sideChannel", "tcp://HOST:PORT", "Its NIXL side channel, asked by the health probe. Default: health.sideChannelPort at the node's host."),
    ];

    public static List<NodeSpec> Read(YamlNode list, string path, string name, List<string> errors)
    {
        var nodes = new List<NodeSpec>();
        if (list is not YamlSequenceNode sequence)
        {
            errors.Add($"{YamlPlace.Of(path, list)}: {name} must be a list of nodes.");
            return nodes;
        }
        if (sequence.Children.Count > MaxNodes)
        {
            errors.Add($"{YamlPlace.Of(path, list)}: {name} has {sequence.Children.Count} nodes; at most {MaxNodes} are taken.");
            return nodes;
        }
        foreach (var item in sequence)
        {
            var node = item switch
            {
                YamlScalarNode scalar => Address(scalar, path, name, errors) is { } address ? new NodeSpec(address) : null,
                YamlMappingNode mapping => ReadMapping(mapping, path, name, errors),
                _ => null,
            };
            if (item is YamlSequenceNode)
            {
                errors.Add($"{YamlPlace.Of(path, item)}: a node of {name} is a URL or a mapping with a url.");
            }
            if (node is not null)
            {
                nodes.Add(node);
            }
        }
        return nodes;
    }

    private static NodeSpec? ReadMapping(YamlMappingNode mapping, string path, string name, List<string> errors)
    {
        var errorCount = errors.Count;
        var spec = new NodeSpec(new Uri("http://localhost"));
        var hasUrl = false;
        foreach (var (key, value) in mapping)
        {
            var keyText = (key as YamlScalarNode)?.Value ?? "";
            if (value is not YamlScalarNode { Value: { Length: > 0 } text } scalar)
            {
                errors.Add($"{YamlPlace.Of(path, value)}: {name}.{keyText} must be one value.");
                continue;
            }
            switch (keyText)
            {
                case "url":
                    hasUrl = true;
                    spec = Address(scalar, path, name, errors) is { } address ? spec with { Address = address } : spec;
                    break;
                case "weight":
                    var isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var weight) && weight is >= 0.01 and <= 100;
                    spec = spec with { Weight = isNumber ? weight : 1 };
                    if (!isNumber) { errors.Add($"{YamlPlace.Of(path, scalar)}: {name}.weight is '{text}'; it must lie in 0.01..100."); }
                    break;
                case "kvEvents":
                    spec = spec with { KvEvents = Endpoint(scalar, path, name, keyText, errors) };
                    break;
                case "kvReplay":
                    spec = spec with { KvReplay = Endpoint(scalar, path, name, keyText, errors) };
                    break;
                case "sideChannel":
                    spec = spec with { SideChannel = Endpoint(scalar, path, name, keyText, errors) };
                    break;
                default:
                    errors.Add($"{YamlPlace.Of(path, key)}: unknown key '{keyText}' of a node.{SettingValue.Hint(keyText, Keys.Select(known => known.Key))} Known: {string.Join(", ", Keys.Select(known => known.Key))}.");
                    break;
            }
        }
        if (!hasUrl)
        {
            errors.Add($"{YamlPlace.Of(path, mapping)}: a node of {name} without url.");
        }
        return errors.Count == errorCount ? spec : null;
    }

    private static Uri? Address(YamlScalarNode scalar, string path, string name, List<string> errors)
    {
        if (TryAddress(scalar.Value ?? "", out var address))
        {
            return address;
        }
        errors.Add($"{YamlPlace.Of(path, scalar)}: {name} '{scalar.Value}' is no node. Write http://HOST:PORT or https://HOST:PORT, without path and user.");
        return null;
    }

    /// <summary>Whether a text names a node.</summary>
    public static bool TryAddress(string text, out Uri address) =>
        Uri.TryCreate(text, UriKind.Absolute, out address!) && address.Scheme is ("http" or "https") && address.PathAndQuery == "/" && address.UserInfo.Length == 0;

    private static string? Endpoint(YamlScalarNode scalar, string path, string name, string key, List<string> errors)
    {
        if (Uri.TryCreate(scalar.Value, UriKind.Absolute, out var endpoint) && endpoint is { Scheme: "tcp", Port: > 0, Host.Length: > 0 })
        {
            return scalar.Value;
        }
        errors.Add($"{YamlPlace.Of(path, scalar)}: {name}.{key} is '{scalar.Value}'; it must be tcp://HOST:PORT.");
        return null;
    }
}
