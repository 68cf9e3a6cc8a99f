using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Ferry.TestKit.Router;

/// <summary>How long the pods of one process held each request, over all its legs. What a client waited longer is the way and whoever stands on it.</summary>
public sealed class HeldTimes
{
    private readonly ConcurrentDictionary<string, TimeSpan> _earlier = new(StringComparer.Ordinal);

    private static ReadOnlySpan<byte> Member => "\"held_us\":\""u8;

    /// <summary>The first leg is over; the second has the same request id.</summary>
    public void Note(string requestId, TimeSpan held) => _earlier[requestId] = held;

    /// <summary>The head of an answer that tells what both legs held.</summary>
    public byte[] Tell(string requestId, TimeSpan held)
    {
        _earlier.TryRemove(requestId, out var earlier);
        return Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"held_us\":\"{(earlier + held).TotalMicroseconds,12:F0}\","));
    }

    /// <summary>What an answer tells; null: nothing.</summary>
    public static TimeSpan? Read(ReadOnlySpan<byte> answer)
    {
        var at = answer.IndexOf(Member);
        return at >= 0 && Utf8Parser.TryParse(answer[(at + Member.Length)..].TrimStart((byte)' '), out long microseconds, out _) ? TimeSpan.FromMicroseconds(microseconds) : null;
    }
}
