namespace Ferry.Cache.Remote.Resp;

/// <summary>What one command may claim before anything is allocated for it.</summary>
/// <param name="CommandBytesMax">All of a command but a SET's value.</param>
/// <param name="ValueBytesMax">A SET's value.</param>
internal readonly record struct RespLimits(int CommandBytesMax, int ValueBytesMax)
{
    /// <summary>Arguments of one command. Redis allows a million; each costs eight bytes here before its own bytes are there.</summary>
    public const int ArgumentsMax = 16_384;

    /// <summary>A line of an inline command; Redis has 64 KiB, for people at a terminal this is plenty.</summary>
    public const int InlineBytesMax = 16 << 10;

    /// <summary>A SET's value up to here is read with its command; a longer one goes straight to its place.</summary>
    public const int BufferedValueBytesMax = 16 << 10;

    /// <summary>What a client may send before it has given its password, as in Redis.</summary>
    public const int UnauthenticatedArgumentsMax = 10;

    public const int UnauthenticatedArgumentBytesMax = 16 << 10;

    /// <summary>A sign, nineteen digits, CR, LF.</summary>
    public const int NumberLineBytesMax = 22;
}
