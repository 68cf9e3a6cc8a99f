using System.Buffers.Text;
using System.Text;
using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Fronts;

namespace Ferry.Cache.Remote.Resp;

/// <summary>Replies in RESP2 and RESP3. Each of these fits the room that a command has; only values and lists need more.</summary>
internal static class RespReplies
{
    /// <summary>A longer message is cut: a client gets at most this of its own words back.</summary>
    private const int ErrorBytesMax = 1024;

    private static readonly byte[] LineEnd = "\r\n"u8.ToArray();

    public static void WriteOk(this FrontOutput output) => output.Write("+OK\r\n"u8);

    public static void WriteInteger(this FrontOutput output, long value) => output.WriteHeader((byte)':', value);

    public static void WriteNull(this FrontOutput output, bool isResp3) => output.Write(isResp3 ? "_\r\n"u8 : "$-1\r\n"u8);

    public static void WriteArrayHeader(this FrontOutput output, int count) => output.WriteHeader((byte)'*', count);

    /// <param name="pairCount">RESP2 has no maps: there it is an array of twice as many.</param>
    public static void WriteMapHeader(this FrontOutput output, int pairCount, bool isResp3) =>
        output.WriteHeader(isResp3 ? (byte)'%' : (byte)'*', isResp3 ? pairCount : 2 * pairCount);

    /// <summary>The bytes and their CR LF follow.</summary>
    public static void WriteBulkHeader(this FrontOutput output, int byteCount) => output.WriteHeader((byte)'$', byteCount);

    /// <summary>A short string.</summary>
    public static void WriteBulk(this FrontOutput output, ReadOnlySpan<byte> bytes)
    {
        output.WriteBulkHeader(bytes.Length);
        output.Write(bytes);
        output.Write("\r\n"u8);
    }

    /// <summary>A string of any length.</summary>
    public static async ValueTask WriteBulkAsync(this FrontOutput output, ReadOnlyMemory<byte> bytes)
    {
        await output.ReserveAsync();
        output.WriteBulkHeader(bytes.Length);
        await output.WriteAsync(bytes, LineEnd);
    }

    /// <summary>A value, into the room that a command has.</summary>
    /// <param name="value">Owned from now on.</param>
    public static ValueTask WriteBulkAsync(this FrontOutput output, ClientValue value)
    {
        output.WriteBulkHeader(value.Bytes.Length);
        return output.WriteAsync(value, LineEnd);
    }

    /// <summary>One line: line ends in the message become blanks.</summary>
    public static void WriteError(this FrontOutput output, string message)
    {
        output.Write("-"u8);
        var free = output.Free[..ErrorBytesMax];
        Encoding.UTF8.TryGetBytes(message.AsSpan(0, Math.Min(message.Length, ErrorBytesMax / 3)), free, out var byteCount); // At most three bytes a UTF-16 unit.
        free[..byteCount].Replace((byte)'\r', (byte)' ');
        free[..byteCount].Replace((byte)'\n', (byte)' ');
        output.Advance(byteCount);
        output.Write("\r\n"u8);
    }

    private static void WriteHeader(this FrontOutput output, byte type, long value)
    {
        var free = output.Free;
        free[0] = type;
        Utf8Formatter.TryFormat(value, free[1..], out var digits);
        free[1 + digits] = (byte)'\r';
        free[2 + digits] = (byte)'\n';
        output.Advance(3 + digits);
    }
}
