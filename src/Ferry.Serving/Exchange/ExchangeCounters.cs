namespace Ferry.Serving.Exchange;

/// <summary>Counters since the start; each may be added to from any thread.</summary>
internal sealed class ExchangeCounters
{
    public Counter BytesConverted { get; } = new();

    public Counter BytesSaved { get; } = new();

    public Counter BytesServed { get; } = new();

    public Counter ChecksumFailures { get; } = new();

    public Counter Nacks { get; } = new();

    public Counter LoadFailures { get; } = new();

    public Counter HandoversDone { get; } = new();

    public Counter HandoversMissed { get; } = new();

    public Counter HandoversLent { get; } = new();

    public Counter BytesPushed { get; } = new();

    /// <summary>Of <see cref="BytesPushed"/>, layers that were in place before the last layer of their chunk was computed.</summary>
    public Counter BytesPushedEarly { get; } = new();

    public Counter PushesRefused { get; } = new();

    internal sealed class Counter
    {
        private long _value;

        public long Value => Volatile.Read(ref _value);

        public void Add(long amount = 1) => Interlocked.Add(ref _value, amount);
    }
}
