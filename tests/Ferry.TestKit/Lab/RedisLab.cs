using System.Diagnostics;
using System.Globalization;

namespace Ferry.TestKit.Lab;

/// <summary>A real redis-server for as long as this object lives.</summary>
public sealed class RedisLab : IAsyncDisposable
{
    private readonly Dictionary<string, string> _environment;
    private readonly string _home;
    private readonly string[] _arguments;

    private RedisLab(int port, string? tlsDirectory, string[] arguments)
    {
        (_home, Port, _arguments) = (Directory.CreateTempSubdirectory("ferry-redis-").FullName, port, arguments);
        _environment = new Dictionary<string, string>
        {
            ["REDIS_HOME"] = _home,
            ["REDIS_PORT"] = port.ToString(CultureInfo.InvariantCulture),
            ["REDIS_OWNER_PID"] = LabScript.OwnerPid,
            ["REDIS_TLS"] = tlsDirectory ?? "",
        };
    }

    public int Port { get; }

    public int Pid => int.Parse(File.ReadAllText(Path.Combine(_home, "redis.pid")).Split(' ')[0], CultureInfo.InvariantCulture);

    /// <param name="arguments">For redis-server.</param>
    public static Task<RedisLab> StartAsync(params string[] arguments) => StartAsync(LabScript.FindPorts(1), null, arguments);

    /// <summary>As <see cref="StartAsync(string[])"/>, over TLS only.</summary>
    /// <param name="tlsDirectory">Has, or gets, the server's certificate and its authority's, <see cref="AuthorityFile"/>.</param>
    public static Task<RedisLab> StartTlsAsync(string tlsDirectory, params string[] arguments) => StartAsync(LabScript.FindPorts(1), tlsDirectory, arguments);

    /// <summary>PEM of the authority that signed the certificate in a directory.</summary>
    public static string AuthorityFile(string tlsDirectory) => Path.Combine(tlsDirectory, "ca.pem");

    internal static async Task<RedisLab> StartAsync(int port, string? tlsDirectory, params string[] arguments)
    {
        var lab = new RedisLab(port, tlsDirectory, arguments);
        await lab.UpAsync();
        return lab;
    }

    /// <summary>Starts the server when it is not running; it then holds nothing.</summary>
    public Task UpAsync() => LabScript.RunAsync("redis-up.sh", _environment, _arguments);

    /// <summary>Ends the server at once, as a crash would.</summary>
    public void Kill()
    {
        using var process = Process.GetProcessById(Pid);
        process.Kill();
        process.WaitForExit(TimeSpan.FromSeconds(10));
    }

    public async ValueTask DisposeAsync() => await LabScript.RunAsync("redis-down.sh", _environment);
}
