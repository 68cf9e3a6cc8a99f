namespace Ferry.Cache.Records;

/// <summary>Time since the store began in four bytes, for ages of chunks: a hundredth of a second fine, good for 497 days before it wraps.</summary>
internal sealed class CoarseClock(TimeProvider time)
{
    private const long TicksPerStep = TimeSpan.TicksPerSecond / 100;

    private readonly long _begun = time.GetTimestamp();

    public uint Now => unchecked((uint)(time.GetElapsedTime(_begun).Ticks / TicksPerStep));

    public static TimeSpan Between(uint earlier, uint later) => TimeSpan.FromTicks(unchecked(later - earlier) * TicksPerStep);
}
