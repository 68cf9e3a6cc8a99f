namespace Ferry.Serving.Exchange.Push;

/// <summary>What a mode costs: a fixed time and a time per byte, as a line through what was measured, of which the newest weighs most. Not thread-safe.</summary>
internal sealed class HandoverEstimate
{
    private const double Keep = 0.9; // Of the older samples' weight at each new one: the last ten or so decide.
    private const double AlikeMax = 1e-3; // Relative variance of sizes below which they say nothing about the slope.

    private double _n;
    private double _x;
    private double _y;
    private double _xx;
    private double _xy;

    public int Samples { get; private set; }

    /// <summary>Both zero without samples.</summary>
    public (double FixedSeconds, double SecondsPerByte) Line
    {
        get
        {
            if (_xx <= 0)
            {
                return (_n > 0 ? _y / _n : 0, 0);
            }
            var spread = (_n * _xx) - (_x * _x);
            if (spread <= AlikeMax * _n * _xx)
            {
                return (0, _y / _x); // All of one size.
            }
            var slope = Math.Max(0, ((_n * _xy) - (_x * _y)) / spread);
            var fixedSeconds = (_y - (slope * _x)) / _n;
            return fixedSeconds >= 0 ? (fixedSeconds, slope) : (0, _xy / _xx);
        }
    }

    public double Predict(long bytes) => Line is var (fixedSeconds, perByte) ? fixedSeconds + (perByte * bytes) : 0;

    public void Add(long bytes, TimeSpan time)
    {
        var (x, y) = ((double)bytes, time.TotalSeconds);
        _n = (_n * Keep) + 1;
        _x = (_x * Keep) + x;
        _y = (_y * Keep) + y;
        _xx = (_xx * Keep) + (x * x);
        _xy = (_xy * Keep) + (x * y);
        Samples++;
    }
}
