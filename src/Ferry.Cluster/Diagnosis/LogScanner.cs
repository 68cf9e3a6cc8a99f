using System.IO.Compression;
using System.Text;

namespace Ferry.Cluster.Diagnosis;

/// <summary>Reads a log once, from first to last byte, and reports every trouble of the table that it shows.</summary>
/// <remarks>
/// Memory does not depend on the length of the log: a buffer of a few lines, and a few numbers a signature.
/// The buffer is searched for all literals of all signatures at once with SIMD; only lines that hold one are looked at
/// (docs/measurements/diagnose.md).
/// </remarks>
internal sealed class LogScanner(SignatureIndex index, LogScanLimits limits)
{
    private const int ReadBufferBytes = 128 << 10;
    private const byte GzipMagic0 = 0x1F;
    private const byte GzipMagic1 = 0x8B;

    /// <param name="name">For the report: the file, the container.</param>
    /// <param name="stream">UTF-8, UTF-16 with a byte order mark, or gzip of either; other bytes are read as if they were text. Stays open.</param>
    /// <exception cref="InvalidDataException">A gzip stream that is damaged before its first line.</exception>
    public async Task<LogScan> ScanAsync(string name, Stream stream, CancellationToken cancellationToken)
    {
        await using var counted = new CountedInput(stream, ReadBufferBytes);
        var head = await counted.PeekAsync(2, cancellationToken);
        var isGzip = head is [GzipMagic0, GzipMagic1];
        await using var plain = isGzip ? new GZipStream(counted, CompressionMode.Decompress, leaveOpen: true) : (Stream)counted;
        using var reader = new StreamReader(plain, new UTF8Encoding(false, throwOnInvalidBytes: false), detectEncodingFromByteOrderMarks: true, ReadBufferBytes, leaveOpen: true);
        var tracker = new SightingTracker(index, name, limits);
        var lines = new LineBuffer(limits.LineChars);
        var heard = new bool[LogVoices.Count];
        var note = "";
        var chars = 0L;
        try
        {
            while (await lines.FillAsync(reader, cancellationToken))
            {
                Search(lines, tracker, heard);
                chars += lines.Whole.Length;
                if (chars > limits.InputBytes)
                {
                    note = $"only the first {limits.InputBytes} characters were read.";
                    break;
                }
            }
        }
        catch (InvalidDataException exception)
        {
            note = $"the compressed data is damaged after {chars} characters ({exception.Message}); what comes behind was not read.";
        }
        if (lines.CutLines > 0)
        {
            note = $"{lines.CutLines} lines are longer than {limits.LineChars} characters; of those only the beginning was read. {note}".TrimEnd();
        }
        string[] voices = [.. heard.Select((isHeard, at) => isHeard ? LogVoices.NameOf(at) : "").Where(voice => voice.Length > 0).Distinct()];
        return new LogScan(name, counted.BytesRead, lines.LineCount, tracker.Result(), voices, note);
    }

    private void Search(LineBuffer lines, SightingTracker tracker, bool[] heard)
    {
        var text = lines.Whole;
        LogVoices.Listen(text, heard);
        var hits = index.Search(text);
        var lineNumber = lines.FirstLineNumber;
        var (start, end) = (0, -1);   // Of the line of the last hit.
        for (var hit = hits.Next(text, 0); hit >= 0; hit = hits.Next(text, hit + 1))
        {
            if (hit > end)
            {
                var before = start;
                start = text[..hit].LastIndexOf('\n') + 1;
                lineNumber += text[before..start].Count('\n');
                end = text[hit..].IndexOf('\n') is var length and >= 0 ? hit + length : text.Length;
            }
            var line = text[start..end].TrimEnd('\r');
            foreach (var (literal, signatures) in index.BeginningWith(text[hit]))
            {
                if (text[hit..end].StartsWith(literal, StringComparison.Ordinal))
                {
                    tracker.Take(signatures, line, lineNumber);
                }
            }
        }
    }
}
