namespace Ferry.Cluster.Diagnosis;

/// <summary>Puts the lines that hold a literal to the signatures, and keeps for each signature a few numbers and its first evidence.</summary>
internal sealed class SightingTracker(SignatureIndex index, string input, LogScanLimits limits)
{
    private readonly State[] _states = [.. index.Signatures.Select(signature => new State(signature))];

    /// <param name="signatures">Places of those that have a literal in this line.</param>
    /// <param name="line">Without its ending.</param>
    public void Take(ReadOnlySpan<int> signatures, ReadOnlySpan<char> line, long lineNumber)
    {
        if (line.Length > limits.LineChars)
        {
            line = line[..limits.LineChars];
        }
        foreach (var place in signatures)
        {
            _states[place].Take(line, lineNumber, limits);
        }
    }

    public IReadOnlyList<Sighting> Result() =>
        [.. _states.Where(state => state.IsSighted).Select(state => state.ToSighting(input)).OrderBy(sighting => sighting.FirstLine)];

    private sealed class State(Signature signature)
    {
        private readonly long[] _partLine = new long[signature.Lines.Count];
        private readonly string[] _partText = new string[signature.Lines.Count];
        private readonly char[] _lastHead = new char[LogTime.HeadChars];
        private int _lastHeadChars;
        private string? _firstTime;
        private string[] _evidence = [];
        private long _count;
        private long _firstLine;
        private long _lastLine;
        private long _lookedAt;   // Line number: several literals of one line are one look.
        private bool _isDisproved;

        public bool IsSighted => _count > 0 && !_isDisproved;

        public void Take(ReadOnlySpan<char> line, long lineNumber, LogScanLimits limits)
        {
            if (_lookedAt == lineNumber)
            {
                return;
            }
            _lookedAt = lineNumber;
            if (signature.Unless is { } unless && !_isDisproved && unless.Matches(line))
            {
                _isDisproved = true;
            }
            var isHit = false;
            for (var part = 0; part < signature.Lines.Count; part++)
            {
                if (signature.Lines[part].Matches(line))
                {
                    isHit = true;
                    _partLine[part] = lineNumber;
                    if (_count == 0)
                    {
                        _partText[part] = SecretMask.Apply(Printable(line, limits.EvidenceChars));
                    }
                }
            }
            if (isHit && IsWhole())
            {
                Count(line);
            }
        }

        public Sighting ToSighting(string input) => new(
            signature, input, _count, _firstLine, _lastLine, _firstTime, LogTime.Find(_lastHead.AsSpan(0, _lastHeadChars)), _evidence);

        private bool IsWhole()
        {
            var (first, last) = (long.MaxValue, 0L);
            foreach (var line in _partLine)
            {
                if (line == 0)
                {
                    return false;
                }
                (first, last) = (Math.Min(first, line), Math.Max(last, line));
            }
            return last - first <= signature.WithinLines;
        }

        private void Count(ReadOnlySpan<char> line)
        {
            var first = _partLine.Min();
            if (_count == 0)
            {
                _firstLine = first;
                _firstTime = LogTime.Find(line);
                _evidence = [.. _partLine.Zip(_partText).OrderBy(part => part.First).Select(part => part.Second).Distinct()];
            }
            _count++;
            _lastLine = _partLine.Max();
            _lastHeadChars = Math.Min(line.Length, _lastHead.Length);
            line[.._lastHeadChars].CopyTo(_lastHead);
            Array.Clear(_partLine);
        }

        /// <summary>Nothing that a terminal would obey.</summary>
        private static string Printable(ReadOnlySpan<char> line, int chars)
        {
            var shown = line.Length > chars ? string.Concat(line[..chars], "…") : line.ToString();
            return shown.AsSpan().ContainsAnyInRange('\0', '\u001F') || shown.AsSpan().ContainsAnyInRange('\u007F', '\u009F')
                ? string.Concat(shown.Select(character => char.IsControl(character) ? ' ' : character))
                : shown;
        }
    }
}
