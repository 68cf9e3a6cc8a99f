using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Observed;

/// <summary>The words behind a program's name, with flags found by any of their spellings.</summary>
internal sealed class ProcessArguments
{
    /// <summary>vLLM flags that take no value, so that the word behind them is not one.</summary>
    private static readonly HashSet<string> Switches = new(StringComparer.Ordinal)
    {
        "--trust-remote-code", "--enable-chunked-prefill", "--enable-prefix-caching", "--enforce-eager", "--disable-log-requests",
        "--disable-log-stats", "--enable-auto-tool-choice", "--headless", "--enable-expert-parallel", "--enable-lora", "--async-scheduling",
        "--disable-hybrid-kv-cache-manager", "--skip-tokenizer-init", "--disable-uvicorn-access-log", "--enable-server-load-tracking",
        "--disable-custom-all-reduce", "--enable-sleep-mode", "--disable-frontend-multiprocessing", "--calculate-kv-scales",
        "--enable-prompt-tokens-details", "--enable-log-requests", "--enable-return-routed-experts", "--disable-sliding-window",
        "--tokens-only", "--return-tokens-as-token-ids", "--enable-log-outputs", "--enable-request-id-headers",
    };

    private readonly List<ArgumentFlag> _flags = [];
    private readonly List<SourcedText> _positionals = [];

    /// <param name="words">Behind the program (and its subcommand: <c>serve</c>).</param>
    public ProcessArguments(IReadOnlyList<SourcedText> words)
    {
        Words = words;
        for (var i = 0; i < words.Count; i++)
        {
            var word = words[i];
            if (!IsFlag(word.Value))
            {
                _positionals.Add(word);
                continue;
            }
            var equals = word.Value.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
            {
                _flags.Add(new ArgumentFlag(word.Part(0, equals), word.Part(equals + 1, word.Value.Length - equals - 1), word.Span));
                continue;
            }
            var takesNext = i + 1 < words.Count && !IsFlag(words[i + 1].Value) && !IsSwitch(word.Value);
            _flags.Add(new ArgumentFlag(word, takesNext ? words[i + 1] : null, takesNext ? word.Span.To(words[i + 1].Span) : word.Span));
            if (takesNext) { i++; }
        }
    }

    public static ProcessArguments Empty { get; } = new([]);

    public IReadOnlyList<SourcedText> Words { get; }

    public IReadOnlyList<ArgumentFlag> Flags => _flags;

    /// <summary>Words that belong to no flag.</summary>
    public IReadOnlyList<SourcedText> Positionals => _positionals;

    /// <summary>The last flag under any of the names (with their dashes, '-' inside), or null.</summary>
    public ArgumentFlag? Flag(params ReadOnlySpan<string> names)
    {
        for (var i = _flags.Count - 1; i >= 0; i--)
        {
            foreach (var name in names)
            {
                if (_flags[i].Key == name) { return _flags[i]; }
            }
        }
        return null;
    }

    /// <summary>The value of the last flag under any of the names, or null.</summary>
    public SourcedText? Value(params ReadOnlySpan<string> names) => Flag(names)?.Value;

    public bool Has(params ReadOnlySpan<string> names) => Flag(names) is not null;

    /// <summary>vLLM takes '_' for '-' in names of long flags; the dotted rest of one is a key and stays as it is.</summary>
    public static string Normalize(string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        var head = dot < 0 ? name : name[..dot];
        head = head.StartsWith("--", StringComparison.Ordinal) ? head.Replace('_', '-') : head;
        return dot < 0 ? head : head + name[dot..];
    }

    /// <summary>A dash and then no digit: "-5" is a value.</summary>
    private static bool IsFlag(string word) => word.Length > 1 && word[0] == '-' && !char.IsAsciiDigit(word[1]) && word[1] != '.';

    private static bool IsSwitch(string flag)
    {
        var name = Normalize(flag);
        return Switches.Contains(name) || name.StartsWith("--no-", StringComparison.Ordinal);
    }
}
