using System.Text;
using Ferry.Kv.Text;

namespace Ferry.Cache.Remote.Resp;

/// <summary>What stands behind the value of a SET.</summary>
/// <param name="IfAbsent">NX.</param>
/// <param name="IfPresent">XX.</param>
/// <param name="ReturnsOld">GET.</param>
internal readonly record struct RespSetOptions(bool IfAbsent, bool IfPresent, bool ReturnsOld)
{
    private static readonly string[] Names = ["NX", "XX", "GET", "KEEPTTL", "EX", "PX", "EXAT", "PXAT"];

    /// <param name="error">What to answer, or null.</param>
    public static RespSetOptions Read(RespSession session, out string? error)
    {
        var options = session.Is(0, "SETNX"u8) ? new RespSetOptions(IfAbsent: true, IfPresent: false, ReturnsOld: false) : default;
        for (var index = 3; index < session.Count; index++)
        {
            if (session.Is(index, "NX"u8))
            {
                options = options with { IfAbsent = true };
            }
            else if (session.Is(index, "XX"u8))
            {
                options = options with { IfPresent = true };
            }
            else if (session.Is(index, "GET"u8))
            {
                options = options with { ReturnsOld = true };
            }
            else if (!session.Is(index, "KEEPTTL"u8)) // Nothing here has a time to live: there is nothing to lose.
            {
                error = Refuse(session[index].Span);
                return default;
            }
        }
        error = options is { IfAbsent: true, IfPresent: true } ? "ERR syntax error" : null;
        return options;
    }

    /// <summary>SETEX and PSETEX, as some clients say SET with EX.</summary>
    public static ValueTask RefuseExpiryAsync(RespSession session)
    {
        session.Fail(NoExpiry(session.Text(0).ToUpperInvariant()));
        return ValueTask.CompletedTask;
    }

    private static string NoExpiry(string what) => $"ERR {what} is refused: values here do not expire, the cache's eviction policy decides. Leave it out.";

    private static string Refuse(ReadOnlySpan<byte> word)
    {
        if (Ascii.EqualsIgnoreCase(word, "EX"u8) || Ascii.EqualsIgnoreCase(word, "PX"u8) || Ascii.EqualsIgnoreCase(word, "EXAT"u8) || Ascii.EqualsIgnoreCase(word, "PXAT"u8))
        {
            return NoExpiry($"SET with {Encoding.ASCII.GetString(word).ToUpperInvariant()}");
        }
        var name = new ByteText(word[..Math.Min(word.Length, 32)]).ToString();
        return NearestName.Find(name, Names) is { } nearest ? $"ERR syntax error: SET has no option '{name}' (did you mean {nearest}?)" : "ERR syntax error";
    }
}
