using System.Buffers.Text;

namespace Ferry.Cache.Remote.Resp;

/// <summary>SCAN cursor [MATCH pattern] [COUNT keys] [TYPE name], over what lies in memory.</summary>
internal static class RespScanCommand
{
    private const int DefaultCount = 10; // Redis' own.
    private const int CountMax = 10_000;
    private const int PatternBytesMax = 1024;

    public static async ValueTask RunAsync(RespSession session)
    {
        if (!TryRead(session, out var cursor, out var keysMax, out var pattern, out var isOfType, out var error))
        {
            session.Fail(error);
            return;
        }
        var (found, next) = session.Front.Store.Scan(cursor, keysMax);
        var keys = isOfType ? found.Where(key => pattern.IsEmpty || GlobPattern.Matches(pattern.Span, key)).ToList() : [];
        session.Output.WriteArrayHeader(2);
        session.Output.WriteBulk(System.Text.Encoding.ASCII.GetBytes($"{next}"));
        session.Output.WriteArrayHeader(keys.Count);
        foreach (var key in keys)
        {
            await session.Output.WriteBulkAsync(key);
        }
    }

    private static bool TryRead(RespSession session, out ulong cursor, out int keysMax, out ReadOnlyMemory<byte> pattern, out bool isOfType, out string error)
    {
        (keysMax, pattern, isOfType, error) = (DefaultCount, default, true, "ERR syntax error");
        if (!Utf8Parser.TryParse(session[1].Span, out cursor, out var used) || used != session[1].Length)
        {
            error = "ERR invalid cursor";
            return false;
        }
        for (var index = 2; index < session.Count; index += 2)
        {
            if (index + 1 == session.Count)
            {
                return false;
            }
            var value = session[index + 1];
            if (session.Is(index, "MATCH"u8))
            {
                pattern = value;
            }
            else if (session.Is(index, "TYPE"u8))
            {
                isOfType = session.Is(index + 1, "string"u8); // The only type here.
            }
            else if (!session.Is(index, "COUNT"u8))
            {
                return false;
            }
            else if (!Utf8Parser.TryParse(value.Span, out keysMax, out used) || used != value.Length || keysMax < 1)
            {
                error = "ERR value is not an integer or out of range";
                return false;
            }
        }
        keysMax = Math.Min(keysMax, CountMax);
        error = $"ERR the pattern has {pattern.Length} bytes; at most {PatternBytesMax}";
        return pattern.Length <= PatternBytesMax;
    }
}
