namespace Ferry.Kv.Settings;

/// <summary>Reads a command's words by its settings: <c>--name value</c>, <c>--name=value</c>, <c>--[no-]switch</c>, several values, dotted names.</summary>
/// <param name="command">For errors, such as <c>ferry serve</c>.</param>
/// <param name="takeBare">Takes a word that belongs to no flag; null: such a word is an error.</param>
public sealed class FlagReader<TDraft>(
    string command, IReadOnlyList<Setting<TDraft>> settings, TDraft draft, FindingLog findings, Action<string>? takeBare = null)
{
    private const string Negation = "--no-";

    /// <summary>A flag whose name goes on after a dot, with the dot; null for none.</summary>
    public string? DottedPrefix { get; init; }

    /// <summary>Takes the rest of such a name and its value.</summary>
    public Action<string, string>? TakeDotted { get; init; }

    /// <summary>Whether a word behind an unknown flag is taken for its value and not for a bare word.</summary>
    public Func<bool> SkipsValueOfUnknown { get; init; } = static () => true;

    public void Read(IReadOnlyList<string> words)
    {
        for (var index = 0; index < words.Count;)
        {
            index = ReadOne(words, index);
        }
    }

    /// <summary>Takes one word with its values; returns the index of the next.</summary>
    private int ReadOne(IReadOnlyList<string> words, int index)
    {
        var word = words[index];
        if (!word.StartsWith('-') || word.Length == 1)
        {
            if (takeBare is null)
            {
                findings.Error(word, "", $"'{word}' belongs to no flag of '{command}'. Quote values that contain spaces.");
            }
            takeBare?.Invoke(word);
            return index + 1;
        }
        var equals = word.IndexOf('=', StringComparison.Ordinal);
        var written = equals < 0 ? word : word[..equals];
        var inline = equals < 0 ? null : word[(equals + 1)..];
        if (DottedPrefix is { } dotted && written.StartsWith(dotted, StringComparison.Ordinal) && written.Length > dotted.Length)
        {
            var text = inline ?? TakeValue(words, index, written);
            if (text is not null)
            {
                TakeDotted!(written[dotted.Length..], text);
            }
            return index + (inline is null && text is not null ? 2 : 1);
        }
        var name = written.StartsWith("--", StringComparison.Ordinal) ? written.Replace('_', '-') : written;   // vLLM takes both spellings
        if (Find(name) is { } setting)
        {
            return ReadFlag(words, index, setting, written, inline);
        }
        if (name.StartsWith(Negation, StringComparison.Ordinal) && Find("--" + name[Negation.Length..]) is { IsSwitch: true } negated)
        {
            negated.Apply(draft, findings, "false");
            return index + 1;
        }
        findings.Refuse(written, inline ?? "", $"{written} is no flag of '{command}'.{NameHint.Of(name, KnownNames())}");
        return index + (inline is null && index + 1 < words.Count && !words[index + 1].StartsWith('-') && SkipsValueOfUnknown() ? 2 : 1);
    }

    private int ReadFlag(IReadOnlyList<string> words, int index, Setting<TDraft> setting, string written, string? inline)
    {
        if (setting.IsSwitch)
        {
            setting.Apply(draft, findings, inline ?? "true");
            return index + 1;
        }
        if (inline is not null)
        {
            setting.Apply(draft, findings, inline);
            return index + 1;
        }
        if (TakeValue(words, index, written) is not { } first)
        {
            return index + 1;
        }
        setting.Apply(draft, findings, first);
        var next = index + 2;
        while (setting.TakesMany && next < words.Count && !words[next].StartsWith('-'))
        {
            setting.Apply(draft, findings, words[next++]);
        }
        return next;
    }

    private string? TakeValue(IReadOnlyList<string> words, int index, string written)
    {
        // A negative number is a value, every other word with a dash is the next flag.
        if (index + 1 < words.Count && (!words[index + 1].StartsWith('-') || long.TryParse(words[index + 1], out _)))
        {
            return words[index + 1];
        }
        findings.Error(written, "", $"{written} needs a value.");
        return null;
    }

    private Setting<TDraft>? Find(string name) => settings.FirstOrDefault(setting => setting.Names.Contains(name));

    private IEnumerable<string> KnownNames() =>
        settings.SelectMany(setting => setting.IsSwitch ? [setting.Name, Negation + setting.Name[2..]] : setting.Names);
}
