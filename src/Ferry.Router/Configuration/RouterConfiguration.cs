using Ferry.Router.Discovery;

namespace Ferry.Router.Configuration;

/// <summary>Where a router's options come from: a file, flags, or both (a flag wins). Can be read again.</summary>
/// <param name="Path">router.yaml; null: flags alone.</param>
/// <param name="Flags">Setting's flag and its text, as given.</param>
/// <param name="Prefill">URLs of flags; empty: the file's list counts.</param>
public sealed record RouterConfiguration(
    string? Path, IReadOnlyList<(string Flag, string Text)> Flags, IReadOnlyList<string> Prefill, IReadOnlyList<string> Decode)
{
    /// <summary>Fixed options: nothing to read again.</summary>
    internal RouterOptions? Fixed { get; private init; }

    public static RouterConfiguration Of(RouterOptions options) => new(null, [], [], []) { Fixed = options };

    /// <summary>The options, valid when <paramref name="errors"/> stays empty.</summary>
    public RouterOptions Read(List<string> errors)
    {
        if (Fixed is not null)
        {
            return Fixed;
        }
        var options = new RouterOptions();
        if (Path is not null && YamlPlace.TryReadFile(Path, errors) is { } text)
        {
            options = RouterConfigFile.Read(text, Path, options, errors);
        }
        foreach (var (flag, value) in Flags)
        {
            var setting = RouterSettings.All.First(known => known.Flag == flag);
            if (setting.TryApply(value, options, out var applied) is { } wrong)
            {
                errors.Add($"{flag} {wrong}");
                continue;
            }
            options = applied;
        }
        options = options with
        {
            Prefill = Prefill.Count > 0 ? Addresses(Prefill, "--prefill", errors) : options.Prefill,
            Decode = Decode.Count > 0 ? Addresses(Decode, "--decode", errors) : options.Decode,
        };
        RouterOptionsValidator.CheckTogether(errors, options);
        return options;
    }

    private static List<NodeSpec> Addresses(IReadOnlyList<string> texts, string flag, List<string> errors)
    {
        var nodes = new List<NodeSpec>();
        foreach (var text in texts)
        {
            if (Uri.TryCreate(text, UriKind.Absolute, out var address))
            {
                nodes.Add(address);
            }
            else
            {
                errors.Add($"{flag} '{text}' is no URL. Write http://HOST:PORT.");
            }
        }
        return nodes;
    }
}
