namespace Ferry.Router;

/// <summary>Milliseconds since the router's start: short numbers that never jump.</summary>
internal sealed class RouterTime(TimeProvider clock)
{
    private readonly long _start = clock.GetTimestamp();

    public TimeProvider Clock { get; } = clock;

    public long Milliseconds => (long)Clock.GetElapsedTime(_start).TotalMilliseconds;
}
