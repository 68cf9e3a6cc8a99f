namespace Ferry.Serving.Exchange;

/// <summary>An exponentially weighted rate. Not thread-safe.</summary>
internal sealed class SmoothedRate
{
    private const double Weight = 0.2; // Of the newest sample, as in the rates of the tiers that it is compared with.

    public double Value { get; private set; }

    /// <returns>The rate with the sample in it.</returns>
    public double Add(double sample) => Value = Value > 0 ? Value + (Weight * (sample - Value)) : sample;
}
