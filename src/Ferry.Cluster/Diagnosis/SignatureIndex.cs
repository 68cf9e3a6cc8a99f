using System.Buffers;

namespace Ferry.Cluster.Diagnosis;

/// <summary>The table made ready for searching: all literals of all log signatures at once.</summary>
internal sealed class SignatureIndex
{
    /// <summary>.NET searches up to 80 strings at once with SIMD and more of them one character at a time.</summary>
    private const int LiteralsAtOnce = 64;

    private readonly SearchValues<string>[] _literals;
    private readonly Dictionary<char, (string Literal, int[] Signatures)[]> _byFirst;

    public SignatureIndex(IEnumerable<Signature> signatures)
    {
        Signatures = [.. signatures.Where(signature => signature.Lines.Count > 0)];
        var ofLiteral = Signatures.SelectMany((signature, at) => (signature.Unless is { } unless ? signature.Lines.Append(unless) : signature.Lines).SelectMany(line => line.Literals).Select(literal => (literal, at)))
            .GroupBy(entry => entry.literal, entry => entry.at, StringComparer.Ordinal)
            .Select(group => (Literal: group.Key, Signatures: group.Distinct().ToArray())).OrderBy(entry => entry.Literal, StringComparer.Ordinal).ToList();
        _literals = [.. ofLiteral.Select(entry => entry.Literal).Chunk(LiteralsAtOnce).Select(literals => SearchValues.Create(literals, StringComparison.Ordinal))];
        _byFirst = ofLiteral.GroupBy(entry => entry.Literal[0]).ToDictionary(group => group.Key, group => group.ToArray());
    }

    /// <summary>Those that logs show.</summary>
    public IReadOnlyList<Signature> Signatures { get; }

    /// <summary>The literals that may begin with a character, each with the places of its signatures.</summary>
    public ReadOnlySpan<(string Literal, int[] Signatures)> BeginningWith(char first) => _byFirst.TryGetValue(first, out var entries) ? entries : [];

    /// <summary>Begins a search through one text from its beginning on.</summary>
    public Hits Search(ReadOnlySpan<char> text)
    {
        var hits = new Hits(_literals);
        hits.Begin(text);
        return hits;
    }

    /// <summary>Where the literals stand: for every group of them the next place.</summary>
    internal readonly struct Hits(SearchValues<string>[] literals)
    {
        private readonly int[] _next = new int[literals.Length];

        /// <summary>The first literal at or behind a place; negative when there is none. Places only grow from call to call.</summary>
        public int Next(ReadOnlySpan<char> text, int from)
        {
            var first = -1;
            for (var group = 0; group < _next.Length; group++)
            {
                if (_next[group] >= 0 && _next[group] < from)
                {
                    _next[group] = Find(text, from, group);
                }
                if (_next[group] >= 0 && (first < 0 || _next[group] < first))
                {
                    first = _next[group];
                }
            }
            return first;
        }

        internal void Begin(ReadOnlySpan<char> text)
        {
            for (var group = 0; group < _next.Length; group++)
            {
                _next[group] = Find(text, 0, group);
            }
        }

        private int Find(ReadOnlySpan<char> text, int from, int group)
        {
            var at = text[from..].IndexOfAny(literals[group]);
            return at < 0 ? -1 : from + at;
        }
    }
}
