using System.Diagnostics;
using System.Globalization;

namespace Ferry.TestKit.Lab;

/// <summary>A real Ceph with two S3 gateways, for as long as this object lives. The first gateway speaks https too; the second is there to be killed.</summary>
public sealed class CephLab : IAsyncDisposable
{
    public const string AccessKey = "ferry-lab";
    public const string SecretKey = "ferry-lab-key";
    public const string Bucket = "kvcache";

    private readonly Dictionary<string, string> _environment;
    private readonly string _home;
    private readonly int _portBase;

    private CephLab(string home, int portBase)
    {
        (_home, _portBase) = (home, portBase);
        _environment = new Dictionary<string, string>
        {
            ["CEPH_HOME"] = home,
            ["CEPH_PORT_BASE"] = portBase.ToString(CultureInfo.InvariantCulture),
            ["CEPH_RGW_COUNT"] = "2",
            ["CEPH_HTTPS"] = "1",
            ["CEPH_ACCESS_KEY"] = AccessKey,
            ["CEPH_SECRET_KEY"] = SecretKey,
            ["CEPH_BUCKETS"] = Bucket,
            ["CEPH_OWNER_PID"] = LabScript.OwnerPid,
        };
    }

    /// <summary>Port of a gateway, http.</summary>
    public int GatewayPort(int gateway = 0) => _portBase + 1 + gateway;

    /// <summary>Port of the first gateway, https.</summary>
    public int TlsPort => _portBase + 9;

    public string AuthorityFile => Path.Combine(_home, "tls", "ca.pem");

    /// <summary>Buckets of the lab are also called BUCKET.s3.localhost.</summary>
    public const string DnsName = "s3.localhost";

    /// <summary>Pids of all daemons, for their processor time.</summary>
    public IReadOnlyList<int> Pids => [.. Directory.GetFiles(Path.Combine(_home, "run"), "*.pid").Where(file => !file.Contains("reaper", StringComparison.Ordinal)).Select(ReadPid)];

    /// <param name="storeBytes">Bytes of the sparse file that holds everything; null for the script's default. A store that is nearly full blocks every write.</param>
    /// <exception cref="InvalidOperationException">Ceph is not installed, or did not start.</exception>
    public static async Task<CephLab> StartAsync(long? storeBytes = null)
    {
        var lab = new CephLab(Directory.CreateTempSubdirectory("ferry-ceph-").FullName, LabScript.FindPorts(20));
        if (storeBytes is { } bytes)
        {
            lab._environment["CEPH_STORE_BYTES"] = bytes.ToString(CultureInfo.InvariantCulture);
        }
        await lab.UpAsync();
        return lab;
    }

    /// <summary>Starts what is not running.</summary>
    public Task UpAsync() => LabScript.RunAsync("ceph-up.sh", _environment);

    /// <summary>Ends a gateway at once, as a crash would.</summary>
    public void KillGateway(int gateway)
    {
        using var process = Gateway(gateway);
        process.Kill();
        process.WaitForExit(TimeSpan.FromSeconds(10));
    }

    /// <summary>Stops a gateway in its tracks: its connections stay open and nothing answers.</summary>
    public Task FreezeGatewayAsync(int gateway) => SignalAsync(gateway, "STOP");

    public Task ThawGatewayAsync(int gateway) => SignalAsync(gateway, "CONT");

    public async ValueTask DisposeAsync() => await LabScript.RunAsync("ceph-down.sh", _environment, "--wipe");

    private async Task SignalAsync(int gateway, string signal)
    {
        using var process = Gateway(gateway);
        using var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    private Process Gateway(int gateway) => Process.GetProcessById(ReadPid(Path.Combine(_home, "run", $"rgw.{gateway}.pid")));

    private static int ReadPid(string file) => int.Parse(File.ReadAllText(file).Split(' ')[0], CultureInfo.InvariantCulture);
}
