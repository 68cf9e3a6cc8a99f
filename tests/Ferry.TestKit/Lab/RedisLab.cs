using System.Diagnostics;
using System.Globalization;

namespace Ferry.TestKit.Lab;

/// <summary>A real redis-server for as long as this object lives.</summary>
public sealed class RedisLab : IAsyncDisposable
{
    private readonly Dictionary<string, string> _environment;
    private readonly string _home;
    private readonly string[] _arguments;

    private RedisLab(string home, int port, string[] arguments)
    {
        (_home, Port, _arguments) = (home, port, arguments);
        _environment = new Dictionary<string, string>
        {
            ["REDIS_HOME"] = home,
            ["REDIS_PORT"] = port.ToString(CultureInfo.InvariantCulture),
            ["REDIS_OWNER_PID"] = LabScript.OwnerPid,
        };
    }

    public int Port { get; }

    public int Pid => int.Parse(File.ReadAllText(Path.Combine(_home, "redis.pid")).Split(' ')[0], CultureInfo.InvariantCulture);

    /// <param name="arguments">For redis-server.</param>
    public static async Task<RedisLab> StartAsync(params string[] arguments)
    {
        var lab = new RedisLab(Directory.CreateTempSubdirectory("ferry-redis-").FullName, LabScript.FindPorts(1), arguments);
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
