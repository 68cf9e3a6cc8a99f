using Ferry.Cache.Remote.Models;
using Ferry.Cache.Remote.Settings;
using Ferry.Kv.Settings;

namespace Ferry.Cache.Remote.Hosting.Options;

/// <summary>Reads the settings of <c>ferry cache</c>. What stands nearer wins: flags, then the configuration file, then variables, then LMCache's file.</summary>
public static class ExchangeOptionsParser
{
    private const string ModelsKey = "models";
    private const string QuotasKey = "quotas";
    private const string PeersKey = "peers";

    /// <param name="arguments">Everything behind <c>ferry cache</c> that is not a flag of the command itself.</param>
    /// <param name="configFile">What <c>--config</c> names, or null.</param>
    /// <param name="isLenient">Names that cannot be used warn.</param>
    public static ExchangeOptionsResult Parse(
        IReadOnlyList<string> arguments, string? configFile, bool isLenient, IReadOnlyDictionary<string, string> environment, IMachine machine)
    {
        var draft = new ExchangeDraft();
        draft.Findings.IsLenient = isLenient;
        ApplyLmCacheFile(draft, environment);
        ApplyEnvironment(draft, environment);
        ApplyFile(draft, configFile);
        new FlagReader<ExchangeDraft>("ferry cache", ExchangeFlags.All, draft, draft.Findings).Read(arguments);
        var options = ExchangeOptionsValidator.Build(draft, environment, machine);
        return new ExchangeOptionsResult(draft.Findings.HasErrors ? null : options, draft.Findings.All);
    }

    private static void ApplyLmCacheFile(ExchangeDraft draft, IReadOnlyDictionary<string, string> environment)
    {
        if (environment.GetValueOrDefault(LmCacheSettings.ConfigFileName) is { Length: > 0 } path)
        {
            LmCacheFile.Apply(LmCacheSettings.Exchange, draft.Cache, path, draft.Findings);
        }
    }

    private static void ApplyEnvironment(ExchangeDraft draft, IReadOnlyDictionary<string, string> environment)
    {
        foreach (var (name, text) in environment.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (name.StartsWith(LmCacheSettings.Prefix, StringComparison.Ordinal))
            {
                LmCacheSettings.Exchange.ApplyVariable(draft.Cache, draft.Findings, name, text);
            }
            else if (ExchangeEnvironment.All.FirstOrDefault(known => known.Name == name) is { } setting)
            {
                setting.Apply(draft, draft.Findings, text);
            }
            else if (ExchangeEnvironment.WatchedPrefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)))
            {
                draft.Findings.Refuse(name, "***", $"{name} is no variable of 'ferry cache'.{NameHint.Of(name, ExchangeEnvironment.All.Select(known => known.Name))}");
            }
        }
    }

    private static void ApplyFile(ExchangeDraft draft, string? path)
    {
        if (path is null || YamlFile.TryRead(path, "--config", draft.Findings) is not { } file)
        {
            return;
        }
        ApplyModels(draft, file);
        foreach (var entry in file.Entries.Where(entry => entry.Key != ModelsKey && !entry.Key.StartsWith(ModelsKey + "[", StringComparison.Ordinal)))
        {
            ApplyEntry(draft, entry);
        }
    }

    /// <summary>Cards may stand in the file itself; a card's own keys are the reader's of cards.</summary>
    private static void ApplyModels(ExchangeDraft draft, YamlFile file)
    {
        if (file.TryFind(ModelsKey) is not { } cards)
        {
            return;
        }
        try
        {
            draft.Models = ModelCards.Parse(cards, file.Path);
            draft.Findings.Add(FindingKind.Honoured, ModelsKey, "", $"{draft.Models.Cards.Count} cards.");
        }
        catch (ModelCardException exception)
        {
            foreach (var error in exception.Errors)
            {
                draft.Findings.Error(ModelsKey, "", error);
            }
        }
    }

    private static void ApplyEntry(ExchangeDraft draft, YamlEntry entry)
    {
        if (entry.Key.StartsWith(QuotasKey + ".", StringComparison.Ordinal) && ExchangeFlags.TryFindKey(QuotasKey) is { } quota)
        {
            quota.Apply(draft, draft.Findings, $"{entry.Key[(QuotasKey.Length + 1)..]}={entry.Text}", entry.Place);
            return;
        }
        if (ExchangeFlags.TryFindKey(entry.Key.StartsWith(PeersKey + "[", StringComparison.Ordinal) ? PeersKey : entry.Key) is { } setting)
        {
            if (entry.Text is null)
            {
                draft.Findings.Error(entry.Key, "", $"{entry.Key} has no value. Give one, or remove the line.", entry.Place);
                return;
            }
            setting.Apply(draft, draft.Findings, entry.Text, entry.Place);
            return;
        }
        var known = ExchangeFlags.All.Select(one => one.Key).Append(ModelsKey);
        // LMCache's own keys in this file are the likeliest mistake after a typo.
        var hint = LmCacheSettings.Exchange.TryFindKey(entry.Key) is null ? NameHint.Of(entry.Key, known) : $" LMCache's keys belong into a file that {LmCacheSettings.ConfigFileName} names.";
        draft.Findings.Refuse(entry.Key, "", $"'{entry.Key}' is no key of this file.{hint}", entry.Place);
    }
}
