using System.Globalization;
using Ferry.Cluster.Containers;
using Ferry.Cluster.Verification.Access;

namespace Ferry.Cluster.Verification.Probes;

/// <summary>The nodes' clocks agree with this machine's and with each other: logs can be put side by side, signatures and leases hold.</summary>
internal sealed class ClockProbe : IProbe
{
    /// <summary>NTP keeps machines of one site within milliseconds; more says that it does not run.</summary>
    private static readonly TimeSpan SkewMax = TimeSpan.FromSeconds(1);

    /// <summary>The Date header counts whole seconds.</summary>
    private static readonly TimeSpan DateHeaderError = TimeSpan.FromSeconds(1);

    public string Id => "clock";

    public string Title => "clocks agree (NTP)";

    public IEnumerable<ProbeTask> Tasks(VerifyCluster cluster) => [new ProbeTask("all nodes", token => RunAsync(cluster, token))];

    private static async Task<ProbeAnswer> RunAsync(VerifyCluster cluster, CancellationToken cancellationToken)
    {
        var clocks = new List<(string Node, TimeSpan Skew, TimeSpan Error)>();
        var silent = new List<string>();
        foreach (var target in cluster.Targets.DistinctBy(target => target.Address))
        {
            if (await InsideAsync(cluster.Time, target, cancellationToken) is { } inside)
            {
                clocks.Add((target.Address, inside.Skew, inside.Error));
            }
            else if (await HeaderAsync(cluster, target, cancellationToken) is { } header)
            {
                clocks.Add((target.Address, header.Skew, header.Error));
            }
            else
            {
                silent.Add(target.Address);
            }
        }
        // Only what is beyond the error of the measurement counts.
        var wrong = clocks.Where(clock => clock.Skew.Duration() - clock.Error > SkewMax).Select(clock => $"{clock.Node} is {Text(clock.Skew)} (± {Text(clock.Error)}) off this machine's clock").ToList();
        foreach (var pair in clocks.SelectMany((one, at) => clocks.Skip(at + 1).Select(other => (one, other))))
        {
            if ((pair.one.Skew - pair.other.Skew).Duration() - pair.one.Error - pair.other.Error > SkewMax)
            {
                wrong.Add($"{pair.one.Node} and {pair.other.Node} differ by {Text((pair.one.Skew - pair.other.Skew).Duration())}");
            }
        }
        if (wrong.Count == 0 && silent.Count > 0)
        {
            return ProbeAnswer.Inconclusive($"no clock could be read of {string.Join(", ", silent)}.");
        }
        return ProbeAnswer.Of(wrong, string.Join(", ", clocks.Select(clock => $"{clock.Node} {Text(clock.Skew)} ± {Text(clock.Error)}")), "Run chrony or systemd-timesyncd on every host; a container has its host's clock.");
    }

    private static async Task<(TimeSpan Skew, TimeSpan Error)?> InsideAsync(TimeProvider time, VerifyTarget target, CancellationToken cancellationToken)
    {
        try
        {
            var sent = time.GetUtcNow();
            var said = await target.Access.RunToolAsync(["date", "-u", "+%s.%N"], cancellationToken);
            var received = time.GetUtcNow();
            return ParseDate(said.Output, out var resolution) is { } there ? Judge(sent, received, there, resolution) : null;
        }
        catch (Exception exception) when (exception is ContainerException or AccessUnsupportedException)
        {
            return null;
        }
    }

    private static async Task<(TimeSpan Skew, TimeSpan Error)?> HeaderAsync(VerifyCluster cluster, VerifyTarget target, CancellationToken cancellationToken)
    {
        try
        {
            var sent = cluster.Time.GetUtcNow();
            using var response = await cluster.Http.GetAsync(target.Health, cancellationToken);
            var received = cluster.Time.GetUtcNow();
            return response.Headers.Date is { } date ? Judge(sent, received, date, DateHeaderError) : null;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>Somewhere between sending and receiving the other clock was read.</summary>
    private static (TimeSpan Skew, TimeSpan Error) Judge(DateTimeOffset sent, DateTimeOffset received, DateTimeOffset there, TimeSpan resolution) =>
        (there + (resolution / 2) - (sent + ((received - sent) / 2)), ((received - sent) / 2) + (resolution / 2));

    /// <summary>Seconds since 1970 with a fraction; busybox prints %N as it stands, so that whole seconds are left.</summary>
    internal static DateTimeOffset? ParseDate(string text, out TimeSpan resolution)
    {
        var parts = text.Trim().Split('.');
        resolution = parts.Length > 1 && parts[1].Length >= 3 && parts[1].All(char.IsAsciiDigit) ? TimeSpan.FromMilliseconds(1) : TimeSpan.FromSeconds(1);
        if (!long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds > 253_402_300_799)   // The year 9999.
        {
            return null;
        }
        var time = DateTimeOffset.FromUnixTimeSeconds(seconds);
        return resolution < TimeSpan.FromSeconds(1) ? time.AddSeconds(double.Parse("0." + parts[1], CultureInfo.InvariantCulture)) : time;
    }

    private static string Text(TimeSpan time) => time.Duration() < TimeSpan.FromSeconds(10)
        ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0} ms")
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} s");
}
