using Ferry.Cache.Remote.Settings;
using Ferry.Kv.Settings;

namespace Ferry.Serving.Options;

/// <summary>Reads the arguments and environment of <c>ferry serve</c>: every setting is honoured, answered by a warning, or an error; all errors at once.</summary>
public static class ServeOptionsParser
{
    private const string Dotted = "--kv-transfer-config.";

    /// <param name="arguments">Everything behind <c>ferry serve</c>.</param>
    /// <param name="environment">Names and values of the process.</param>
    /// <param name="machine">What the checks need to know of this machine.</param>
    public static ServeOptionsResult Parse(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, IMachine machine)
    {
        var draft = new ServeDraft();
        if (environment.GetValueOrDefault(LmCacheSettings.ConfigFileName) is { Length: > 0 } path)
        {
            LmCacheFile.Apply(LmCacheSettings.Engine, draft.Cache, path, draft.Findings);
        }
        ApplyEnvironment(draft, environment);
        new FlagReader<ServeDraft>("ferry serve", ServeFlags.All, draft, draft.Findings, word => ApplyModel(draft, word))
        {
            DottedPrefix = Dotted,
            TakeDotted = (path, text) => KvTransferSettings.ApplyDotted(draft, path, text),
            // The word behind an unknown flag is its value, not the model.
            SkipsValueOfUnknown = () => draft.Model is not null,
        }.Read(arguments);
        KvTransferSettings.ApplyAll(draft);
        var options = ServeOptionsValidator.Build(draft, environment, machine);
        return new ServeOptionsResult(draft.Findings.HasErrors ? null : options, draft.Findings.All);
    }

    private static void ApplyEnvironment(ServeDraft draft, IReadOnlyDictionary<string, string> environment)
    {
        foreach (var (name, raw) in environment.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (name.StartsWith(LmCacheSettings.Prefix, StringComparison.Ordinal))
            {
                LmCacheSettings.Engine.ApplyVariable(draft.Cache, draft.Findings, name, raw);
            }
            else if (EnvironmentSettings.All.FirstOrDefault(known => known.Name == name) is { } setting)
            {
                draft.Apply(setting, raw);
            }
            else if (EnvironmentSettings.WatchedPrefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)))
            {
                var hint = NameHint.Of(name, EnvironmentSettings.All.Select(known => known.Name));
                draft.Add(FindingKind.Warning, name, "***", $"no effect: Ferry does not know this name.{hint}");
            }
        }
    }

    private static void ApplyModel(ServeDraft draft, string argument)
    {
        if (draft.Model is { } earlier)
        {
            draft.Add(FindingKind.Error, "MODEL", argument, $"'{argument}' is a second model after '{earlier}'. Give one; quote values that contain spaces.");
            return;
        }
        draft.Model = argument;
    }
}
