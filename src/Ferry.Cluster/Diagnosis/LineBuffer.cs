using System.Buffers;

namespace Ferry.Cluster.Diagnosis;

/// <summary>Whole lines of a text, a buffer at a time, without terminal colours. Long lines are cut.</summary>
internal sealed class LineBuffer
{
    private const int LinesAtOnce = 4;
    private const char Escape = '\u001B';

    private static readonly SearchValues<char> CsiEnd = SearchValues.Create("@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    private readonly char[] _buffer;
    private int _held;      // Chars in the buffer.
    private int _whole;     // Of these, whole lines.
    private int _shown;     // Of these, after colours are taken out: what Whole gives.
    private int _newLines;  // In Whole.
    private bool _skipping; // The rest of a line that was cut.

    public LineBuffer(int lineChars) => _buffer = new char[Math.Max(lineChars, 1024) * LinesAtOnce];

    /// <summary>Whole lines, the last one without its ending only at the end of the text. Valid until the next <see cref="FillAsync"/>.</summary>
    public ReadOnlySpan<char> Whole => _buffer.AsSpan(0, _shown);

    /// <summary>Of the first line in <see cref="Whole"/>, from 1.</summary>
    public long FirstLineNumber { get; private set; } = 1;

    /// <summary>Lines so far, those in <see cref="Whole"/> included.</summary>
    public long LineCount { get; private set; }

    public long CutLines { get; private set; }

    /// <returns>False when the text is at its end and nothing is left.</returns>
    public async ValueTask<bool> FillAsync(TextReader reader, CancellationToken cancellationToken)
    {
        FirstLineNumber += _newLines;
        _buffer.AsSpan(_whole.._held).CopyTo(_buffer);
        _held -= _whole;
        (_whole, _shown, _newLines) = (0, 0, 0);
        while (true)
        {
            var read = await reader.ReadAsync(_buffer.AsMemory(_held), cancellationToken);
            var from = _held;
            _held += read;
            if (_skipping && !TrySkip(from, read == 0))
            {
                continue;
            }
            if (read == 0)
            {
                _whole = _held;
                break;
            }
            var newLine = _buffer.AsSpan(0, _held).LastIndexOf('\n');
            if (newLine >= 0)
            {
                _whole = newLine + 1;
                break;
            }
            if (_held == _buffer.Length)
            {
                // One line fills the buffer: its beginning is looked at, the rest is passed over.
                _whole = _held;
                _skipping = true;
                CutLines++;
                break;
            }
        }
        _shown = StripColours(_buffer.AsSpan(0, _whole));
        _newLines = _buffer.AsSpan(0, _shown).Count('\n');
        LineCount = _shown > 0 ? FirstLineNumber - 1 + _newLines + (_buffer[_shown - 1] != '\n' ? 1 : 0) : LineCount;
        return _shown > 0 || _whole > 0;
    }

    /// <summary>Drops the rest of a cut line up to, not including, its ending.</summary>
    /// <returns>False when its ending has not come yet.</returns>
    private bool TrySkip(int from, bool isEnd)
    {
        var newLine = _buffer.AsSpan(from, _held - from).IndexOf('\n');
        if (newLine < 0)
        {
            _held = from;
            _skipping = !isEnd;
            return isEnd;
        }
        _buffer.AsSpan((from + newLine).._held).CopyTo(_buffer.AsSpan(from));
        _held -= newLine;
        _skipping = false;
        return true;
    }

    /// <summary>Takes escape sequences out in place.</summary>
    /// <returns>The length that is left.</returns>
    private static int StripColours(Span<char> text)
    {
        var to = text.IndexOf(Escape);
        if (to < 0)
        {
            return text.Length;
        }
        var at = to;
        while (at < text.Length)
        {
            at += SequenceLength(text[at..]);
            var next = text[at..].IndexOf(Escape);
            var length = next < 0 ? text.Length - at : next;
            text.Slice(at, length).CopyTo(text[to..]);
            to += length;
            at += length;
        }
        return to;
    }

    private static int SequenceLength(ReadOnlySpan<char> text)
    {
        if (text.Length < 2 || text[1] != '[')
        {
            return Math.Min(text.Length, text.Length > 1 && text[1] == '\n' ? 1 : 2);
        }
        var end = text[2..].IndexOfAny(CsiEnd);
        var line = text[2..].IndexOf('\n');
        return end < 0 || (line >= 0 && line < end) ? 2 : end + 3;
    }
}
