using System.Text;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Shell;

/// <summary>The variables of a script at one of its commands, and what words become with them.</summary>
internal sealed class ShellScope
{
    /// <summary>Set by the login, the shell or the system: a script may use them without setting them.</summary>
    private static readonly HashSet<string> Given = new(StringComparer.Ordinal)
    {
        "HOME", "USER", "PWD", "PATH", "HOSTNAME", "TMPDIR", "UID", "EUID", "LOGNAME", "SHELL", "LANG", "RANDOM", "SECONDS", "OLDPWD", "BASH_SOURCE",
        "POD_IP", "POD_NAME", "HOST_IP", "NODE_IP", "NODE_NAME", "LWS_LEADER_ADDRESS", "LWS_GROUP_SIZE", "LWS_WORKER_INDEX", "XDG_RUNTIME_DIR",
    };

    /// <summary>Longer than any command line; a variable that doubles itself ends here.</summary>
    private const int MaxValueLength = 1 << 17;

    private const int MaxWords = 4096;

    /// <summary>Characters that all replacements of one script may make; behind it variables stand as written.</summary>
    private int _charactersLeft = 1 << 24;

    private readonly Dictionary<string, ShellVariable> _variables = new(StringComparer.Ordinal);

    /// <summary>Names without which the script has stopped by now: <c>: "${NAME:?say why}"</c>.</summary>
    private readonly HashSet<string> _required = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, ShellVariable> Variables => _variables;

    /// <summary>The script reads another file into itself, or is part of a page: what it does not set may be set elsewhere.</summary>
    public bool IsOpen { get; set; }

    public void Assign(ShellVariable variable)
    {
        var name = variable.Name.Value;
        _variables[name] = _variables.TryGetValue(name, out var old) && old.IsExported ? variable with { IsExported = true } : variable;
    }

    public void Export(string name)
    {
        if (_variables.TryGetValue(name, out var variable)) { _variables[name] = variable with { IsExported = true }; }
    }

    public void Unset(string name) => _variables.Remove(name);

    /// <summary>What a child process inherits, in a stable order.</summary>
    public IEnumerable<EnvironmentSetting> Exported() => _variables.Values.Where(variable => variable is { IsExported: true, Value: not null })
        .OrderBy(variable => variable.Span.Offset).Select(variable => new EnvironmentSetting(variable.Name, variable.Value, variable.Span, EnvironmentOrigin.Shell));

    /// <summary>The words that a word becomes: one, none (an empty unquoted variable) or several (an array, an unquoted list).</summary>
    /// <param name="unset">Takes uses of variables that nothing sets.</param>
    public void Expand(ShellWord word, List<SourcedText> words, List<(string Name, SourceSpan Span)>? unset)
    {
        if (words.Count >= MaxWords) { return; }
        if (word.Parts is [{ Kind: ShellPartKind.Array, Name: { } array }])
        {
            ExpandArray(word, array, words, unset);
            return;
        }
        var text = Text(word, unset);
        var splits = word.Parts.Any(part => part is { Kind: ShellPartKind.Variable, IsQuoted: false });
        if (!splits)
        {
            words.Add(text);
            return;
        }
        SplitAtBlanks(text, words);
    }

    /// <summary>The word as one text, not split.</summary>
    public SourcedText Text(ShellWord word, List<(string Name, SourceSpan Span)>? unset)
    {
        if (word.Parts is [{ Kind: ShellPartKind.Literal } only]) { return Whole(only.Text, word.Span); }
        var value = new StringBuilder();
        var offsets = new List<int>();
        var hasUnknown = false;
        foreach (var part in word.Parts)
        {
            var text = Value(part, unset);
            hasUnknown |= text.HasUnknown || (part.Kind is ShellPartKind.Unknown or ShellPartKind.Array);
            var foreign = !ReferenceEquals(text.File, word.Span.File);
            _charactersLeft -= text.Value.Length;
            for (var i = 0; i < text.Value.Length && value.Length < MaxValueLength; i++)
            {
                value.Append(text.Value[i]);
                // A value from another file is shown where it is used.
                offsets.Add(foreign ? part.Text.Span.Offset : text.OffsetAt(i));
            }
        }
        return new SourcedText(value.ToString(), word.Span, [.. offsets], hasUnknown);
    }

    private static SourcedText Whole(SourcedText text, SourceSpan span)
    {
        if (text.Span == span && text.TryExact() is not null && text.Value.Length == span.Length) { return text; }
        var offsets = new int[text.Value.Length];
        for (var i = 0; i < offsets.Length; i++) { offsets[i] = text.OffsetAt(i); }
        return new SourcedText(text.Value, span, offsets, text.HasUnknown);
    }

    private SourcedText Value(ShellPart part, List<(string Name, SourceSpan Span)>? unset)
    {
        if (part.Kind != ShellPartKind.Variable) { return part.Text; }
        if (part.IsRequired) { _required.Add(part.Name!); }
        if (_variables.TryGetValue(part.Name!, out var variable) && variable.Value is { } known && _charactersLeft > 0) { return known; }
        if (variable is null && part.Default is { Value.Length: > 0 } given && !given.Value.Contains('$', StringComparison.Ordinal)) { return Unquoted(given); }
        if (variable is null && !IsOpen && !_required.Contains(part.Name!) && part.Default is null && !Given.Contains(part.Name!) && !SecretNames.IsSecret(part.Name!))
        {
            unset?.Add((part.Name!, part.Text.Span));
        }
        return new SourcedText(part.Text.Value, part.Text.Span, Offsets(part.Text), hasUnknown: true);
    }

    private static SourcedText Unquoted(SourcedText text) => text.Value.Length >= 2 && text.Value[0] is '"' or '\'' && text.Value[^1] == text.Value[0]
        ? text.Part(1, text.Value.Length - 2)
        : text;

    private static int[] Offsets(SourcedText text)
    {
        var offsets = new int[text.Value.Length];
        for (var i = 0; i < offsets.Length; i++) { offsets[i] = text.OffsetAt(i); }
        return offsets;
    }

    private void ExpandArray(ShellWord word, string name, List<SourcedText> words, List<(string Name, SourceSpan Span)>? unset)
    {
        if (_variables.TryGetValue(name, out var variable) && (variable.Elements ?? (variable.Value is { } one ? [one] : null)) is { } elements)
        {
            words.AddRange(elements.Take(MaxWords - words.Count));
            return;
        }
        if (variable is null && !IsOpen) { unset?.Add((name, word.Span)); }
        words.Add(new SourcedText(word.Raw, word.Span, Offsets(word.Parts[0].Text), hasUnknown: true));
    }

    private static void SplitAtBlanks(SourcedText text, List<SourcedText> words)
    {
        var start = -1;
        for (var i = 0; i <= text.Value.Length; i++)
        {
            var isBlank = i == text.Value.Length || text.Value[i] is ' ' or '\t' or '\n';
            if (!isBlank && start < 0) { start = i; }
            if (isBlank && start >= 0)
            {
                if (words.Count < MaxWords) { words.Add(start == 0 && i == text.Value.Length ? text : text.Part(start, i - start)); }
                start = -1;
            }
        }
    }
}
