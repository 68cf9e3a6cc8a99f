using System.Text;
using Ferry.Cluster.Diagnosis;

namespace Ferry.Cluster.Verification.Access;

/// <summary>Finds where a log file goes on after a moment, by the times at the heads of its lines.</summary>
internal static class LogStart
{
    /// <returns>Offset of the first line of that time or later; the end where all lines with a time are older; 0 where no line has one: then all of it is to be read.</returns>
    /// <param name="file">Read from where it stands to its end as it is now.</param>
    /// <param name="zone">Of times that name none.</param>
    public static async Task<long> FindAsync(Stream file, DateTimeOffset moment, DateTimeOffset now, TimeZoneInfo zone, CancellationToken cancellationToken)
    {
        var end = file.Length;
        var buffer = new byte[64 << 10];
        var (hasTimes, isHead, held, lineAt) = (false, true, 0, 0L);
        for (var read = 0L; read < end && await file.ReadAsync(buffer.AsMemory(held), cancellationToken) is var count and > 0;)
        {
            read += count;
            var filled = held + count;
            var at = 0;
            while (at < filled)
            {
                var line = buffer.AsSpan(at, filled - at);
                var newline = line.IndexOf((byte)'\n');
                // A head that may be cut waits for more of the file; of a long line only the head is looked at.
                if (newline < 0 && isHead && line.Length < HeadBytes && read < end) { break; }
                if (isHead && TimeOf(line[..Math.Min(newline < 0 ? line.Length : newline, HeadBytes)], now, zone) is { } time)
                {
                    if (time >= moment) { return lineAt; }
                    hasTimes = true;
                }
                var taken = newline < 0 ? line.Length : newline + 1;
                (isHead, at, lineAt) = (newline >= 0, at + taken, lineAt + taken);
            }
            held = filled - at;
            buffer.AsSpan(at, held).CopyTo(buffer);
        }
        return hasTimes ? end : 0;
    }

    private const int HeadBytes = LogTime.HeadChars;

    private static DateTimeOffset? TimeOf(ReadOnlySpan<byte> head, DateTimeOffset now, TimeZoneInfo zone) =>
        LogTime.Find(Encoding.Latin1.GetString(head)) is { } text ? LogTime.TryInstant(text, now, zone) : null;
}
