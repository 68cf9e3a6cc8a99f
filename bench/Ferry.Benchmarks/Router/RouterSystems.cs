using System.Globalization;
using Ferry.Cli.Up;
using Ferry.TestKit;

namespace Ferry.Benchmarks.Router;

/// <summary>The systems that are compared, each a process in front of the same two pods.</summary>
internal sealed class RouterSystems : IDisposable
{
    private readonly List<MeasuredProcess> _processes = [];
    private TlsFiles? _tls;
    private readonly string _directory = Directory.CreateTempSubdirectory("ferry-router-bench-").FullName;

    public sealed record One(string Name, Uri Address, MeasuredProcess Process, int Legs);

    public IReadOnlyList<One> All { get; private set; } = [];

    /// <summary>A peer that is not on this machine and why; the table says so.</summary>
    public List<string> Missing { get; } = [];

    public MeasuredProcess Pods => _processes[0];

    public Uri Prefill { get; private set; } = null!;

    public Uri Decode { get; private set; } = null!;

    /// <param name="pods">BLOCKS EVENTS PREFILL_MS FIRST_MS TOKEN_MS HOLD TELLS_HELD.</param>
    public static Task<RouterSystems> StartAsync(int[] pods, params string[] names) => StartAsync(pods, null, names);

    /// <param name="pods">As above.</param>
    /// <param name="tls">What Ferry's routers serve with; null: plain HTTP.</param>
    public static async Task<RouterSystems> StartAsync(int[] pods, TlsFiles? tls, params string[] names)
    {
        var systems = new RouterSystems { _tls = tls };
        using var ports = new LoopbackPorts();
        var taken = Enumerable.Range(0, names.Length + 2).Select(_ => ports.Take(0)).ToArray();
        ports.Release();
        systems.Prefill = Local(taken[0]);
        systems.Decode = Local(taken[1]);
        systems._processes.Add(MeasuredProcess.StartRole([RouterRoles.Pods, .. taken.Take(2).Concat(pods).Select(number => number.ToString(CultureInfo.InvariantCulture))]));
        await systems._processes[0].WaitForPortAsync(taken[1]);
        var all = new List<One>();
        foreach (var (name, port) in names.Zip(taken.Skip(2)))
        {
            if (systems.Start(name, port) is { } process)
            {
                systems._processes.Add(process);
                await process.WaitForPortAsync(port);
                all.Add(new One(name, new UriBuilder(Local(port)) { Scheme = tls is null ? Uri.UriSchemeHttp : Uri.UriSchemeHttps, Path = "/v1/completions" }.Uri, process, name is "nginx" or "YARP" ? 1 : 2));
            }
        }
        systems.All = all;
        return systems;
    }

    public void Dispose()
    {
        _processes.Reverse();
        _processes.ForEach(process => process.Dispose());
        Directory.Delete(_directory, recursive: true);
    }

    private MeasuredProcess? Start(string name, int port) => name switch
    {
        "ferry route" => Ferry(port, "round-robin"),
        "ferry route, prefix-aware" => Ferry(port, "prefix-aware"),
        _ when name.StartsWith("ferry route +", StringComparison.Ordinal) => Ferry(port, "prefix-aware", environment: name["ferry route +".Length..].Split(',')),   // to try settings of the runtime
        _ when name.StartsWith("ferry route @", StringComparison.Ordinal) => Ferry(port, "prefix-aware", name["ferry route @".Length..]),   // ferry.dll of another build, to compare with
        "nginx" => Nginx(port),
        "YARP" => MeasuredProcess.StartRole(RouterRoles.Yarp, port.ToString(CultureInfo.InvariantCulture), Decode.ToString()),
        "Python (aiohttp)" => Python(port),
        _ => throw new ArgumentException($"'{name}' is no system.", nameof(name)),
    };

    private MeasuredProcess Ferry(int port, string policy, string? build = null, params string[] environment) => MeasuredProcess.Start(
        "dotnet", ["exec", build ?? typeof(LoopbackPorts).Assembly.Location, "route", "--prefill", Root(Prefill), "--decode", Root(Decode), "--host", "127.0.0.1", "--port", $"{port}", "--policy", policy, "--admin-port", "-1", "--max-in-flight", "20000", "--health-timeout", "30s", "--stop-on-stdin-close", .. _tls is null ? (string[])[] : ["--tls-certificate", _tls.CertificatePath, "--tls-key", _tls.KeyPath]],
        [.. environment.Select(pair => (pair.Split('=')[0], pair.Split('=')[1]))]);

    private MeasuredProcess? Nginx(int port)
    {
        const string Program = "/usr/sbin/nginx";
        if (!DebianPackages.Ensure("nginx-light", Program))
        {
            Missing.Add("nginx (Debian: apt-get install nginx-light)");
            return null;
        }
        var file = Path.Combine(_directory, "nginx.conf");
        File.WriteAllText(file, $$"""
            daemon off; worker_processes 1; pid {{_directory}}/nginx.pid; error_log stderr crit;
            events { worker_connections 4096; }
            http {
              access_log off; client_body_buffer_size 1m; client_max_body_size 64m; client_body_temp_path {{_directory}}/body; proxy_temp_path {{_directory}}/proxy;
              fastcgi_temp_path {{_directory}}/fastcgi; uwsgi_temp_path {{_directory}}/uwsgi; scgi_temp_path {{_directory}}/scgi; keepalive_requests 1000000;
              upstream pods { server {{Decode.Authority}}; keepalive 512; keepalive_requests 1000000; }
              server {
                listen 127.0.0.1:{{port}};
                location / { proxy_pass http://pods; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_request_buffering off; }
              }
            }
            """);
        return MeasuredProcess.Start(Program, ["-c", file, "-p", _directory]);
    }

    private MeasuredProcess? Python(int port)
    {
        const string Interpreter = "/usr/bin/python3";   // Debian's own, which sees Debian's packages
        if (!DebianPackages.Ensure("python3-aiohttp", "/usr/lib/python3/dist-packages/aiohttp"))
        {
            Missing.Add("the Python proxy (Debian: apt-get install python3-aiohttp)");
            return null;
        }
        return MeasuredProcess.Start(Interpreter, [Path.Combine(AppContext.BaseDirectory, "Router", "reference_proxy.py"), $"{port}", Root(Prefill), Root(Decode)]);
    }

    private static string Root(Uri address) => address.ToString().TrimEnd('/');

    private static Uri Local(int port) => new($"http://127.0.0.1:{port}");
}
