using System.Collections;

namespace Ferry.Serving.Options;

/// <summary>Reads the arguments and environment of <c>ferry serve</c>: every setting is honoured, answered by a warning, or an error; all errors at once.</summary>
public static class ServeOptionsParser
{
    private const string Dotted = "--kv-transfer-config.";
    private const string Negation = "--no-";

    /// <param name="arguments">Everything behind <c>ferry serve</c>.</param>
    /// <param name="environment">Names and values of the process.</param>
    /// <param name="machine">What the checks need to know of this machine.</param>
    public static ServeOptionsResult Parse(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, IMachine machine)
    {
        var draft = new ServeDraft();
        ApplyEnvironment(draft, environment);
        ApplyArguments(draft, arguments);
        KvTransferSettings.ApplyAll(draft);
        var options = ServeOptionsValidator.Build(draft, environment, machine);
        var hasErrors = draft.Findings.Any(finding => finding.Kind == FindingKind.Error);
        return new ServeOptionsResult(hasErrors ? null : options, draft.Findings);
    }

    /// <summary>The process's environment as a dictionary.</summary>
    public static IReadOnlyDictionary<string, string> ProcessEnvironment() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "", StringComparer.Ordinal);

    private static void ApplyEnvironment(ServeDraft draft, IReadOnlyDictionary<string, string> environment)
    {
        foreach (var (name, raw) in environment.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (name.StartsWith(LmCacheSettings.Prefix, StringComparison.Ordinal))
            {
                ApplyLmCache(draft, name, Unquote(raw));
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

    private static void ApplyLmCache(ServeDraft draft, string name, string text)
    {
        if (LmCacheSettings.TryFindName(name) is { } setting)
        {
            draft.Apply(setting, text);
            return;
        }
        var hint = NameHint.Of(name, LmCacheSettings.All.Select(known => known.Name));
        draft.Add(FindingKind.Error, name, text, $"{name} is no LMCache setting: LMCache would never read it.{hint}");
    }

    /// <summary>LMCache strips one pair of quotes around a value; compose files often leave them.</summary>
    private static string Unquote(string text) =>
        text.Length >= 2 && text[0] is '"' or '\'' && text[0] == text[^1] ? text[1..^1] : text;

    private static void ApplyArguments(ServeDraft draft, IReadOnlyList<string> arguments)
    {
        for (var index = 0; index < arguments.Count;)
        {
            index = ApplyArgument(draft, arguments, index);
        }
    }

    /// <summary>Takes one argument with its values; returns the index of the next.</summary>
    private static int ApplyArgument(ServeDraft draft, IReadOnlyList<string> arguments, int index)
    {
        var argument = arguments[index];
        if (!argument.StartsWith('-') || argument.Length == 1)
        {
            ApplyModel(draft, argument);
            return index + 1;
        }
        var equals = argument.IndexOf('=', StringComparison.Ordinal);
        var written = equals < 0 ? argument : argument[..equals];
        var inline = equals < 0 ? null : argument[(equals + 1)..];
        if (written.StartsWith(Dotted, StringComparison.Ordinal) && written.Length > Dotted.Length)
        {
            var text = inline ?? TakeValue(draft, arguments, index, written);
            if (text is not null)
            {
                KvTransferSettings.ApplyDotted(draft, written[Dotted.Length..], text);
            }
            return index + (inline is null && text is not null ? 2 : 1);
        }
        var name = written.StartsWith("--", StringComparison.Ordinal) ? written.Replace('_', '-') : written;   // vLLM takes both spellings
        if (Find(name) is { } setting)
        {
            return ApplyFlag(draft, arguments, index, setting, written, inline);
        }
        if (name.StartsWith(Negation, StringComparison.Ordinal) && Find("--" + name[Negation.Length..]) is { IsSwitch: true } negated)
        {
            draft.Apply(negated, "false");
            return index + 1;
        }
        draft.Add(FindingKind.Error, written, inline ?? "", $"{written} is no flag of 'ferry serve'.{NameHint.Of(name, KnownFlags())}");
        // The word behind an unknown flag is its value, not the model.
        return index + (inline is null && index + 1 < arguments.Count && !arguments[index + 1].StartsWith('-') && draft.Model is not null ? 2 : 1);
    }

    private static int ApplyFlag(ServeDraft draft, IReadOnlyList<string> arguments, int index, Setting setting, string written, string? inline)
    {
        if (setting.IsSwitch)
        {
            draft.Apply(setting, inline ?? "true");
            return index + 1;
        }
        if (inline is not null)
        {
            draft.Apply(setting, inline);
            return index + 1;
        }
        if (TakeValue(draft, arguments, index, written) is not { } first)
        {
            return index + 1;
        }
        draft.Apply(setting, first);
        var next = index + 2;
        while (setting.TakesMany && next < arguments.Count && !arguments[next].StartsWith('-'))
        {
            draft.Apply(setting, arguments[next++]);
        }
        return next;
    }

    private static string? TakeValue(ServeDraft draft, IReadOnlyList<string> arguments, int index, string written)
    {
        // A negative number is a value, every other word with a dash is the next flag.
        if (index + 1 < arguments.Count && (!arguments[index + 1].StartsWith('-') || long.TryParse(arguments[index + 1], out _)))
        {
            return arguments[index + 1];
        }
        draft.Add(FindingKind.Error, written, "", $"{written} needs a value.");
        return null;
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

    private static Setting? Find(string name) =>
        ServeFlags.All.FirstOrDefault(setting => setting.Name == name || setting.Aliases.Contains(name));

    private static IEnumerable<string> KnownFlags() =>
        ServeFlags.All.SelectMany(setting => setting.IsSwitch ? (string[])[setting.Name, Negation + setting.Name[2..]] : [setting.Name, .. setting.Aliases]);
}
