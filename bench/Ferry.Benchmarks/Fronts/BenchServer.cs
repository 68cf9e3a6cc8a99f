using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Ferry.Cli.Up;

namespace Ferry.Benchmarks.Fronts;

/// <summary>A server in a process of its own, on a port of the loopback; stopped by its process id.</summary>
internal sealed class BenchServer : IDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);

    private readonly Process _process;

    private BenchServer(string name, Process process, int port, int secondPort)
    {
        Name = name;
        _process = process;
        Port = port;
        SecondPort = secondPort;
    }

    public string Name { get; }

    public int Port { get; }

    /// <summary>Of <c>lm://</c>, or whatever the server offers beside; 0 for nothing.</summary>
    public int SecondPort { get; }

    /// <summary>User and system time of the process so far, by the kernel's books.</summary>
    public double CpuSeconds
    {
        get
        {
            var fields = File.ReadAllText($"/proc/{_process.Id}/stat");
            var columns = fields[(fields.LastIndexOf(')') + 2)..].Split(' ');
            const double TicksPerSecond = 100; // USER_HZ is 100 on every Linux that .NET runs on.
            return (long.Parse(columns[11], CultureInfo.InvariantCulture) + long.Parse(columns[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
        }
    }

    /// <summary>The same to the nanosecond, of the threads that run now.</summary>
    public TimeSpan PreciseCpuTime
    {
        get
        {
            var nanoseconds = 0L;
            foreach (var task in Directory.EnumerateDirectories($"/proc/{_process.Id}/task"))
            {
                nanoseconds += long.Parse(File.ReadAllText(task + "/schedstat").Split(' ')[0], CultureInfo.InvariantCulture);
            }
            return TimeSpan.FromMicroseconds(nanoseconds / 1000.0);
        }
    }

    /// <summary>This program again, in the mode of a server that prints its ports.</summary>
    public static BenchServer Self(string name, params string[] args) => OfBuild(name, typeof(BenchServer).Assembly.Location, args);

    /// <summary>As <see cref="Self"/>, of another build of this program: what a change has brought shows in one run.</summary>
    /// <param name="dll">Its Ferry.Benchmarks.dll.</param>
    public static BenchServer OfBuild(string name, string dll, params string[] args)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])["exec", dll, .. args])
        {
            start.ArgumentList.Add(argument);
        }
        var process = Process.Start(start)!;
        var ready = process.StandardOutput.ReadLine()?.Split(' ') ?? throw new InvalidOperationException($"{name} ended before it was ready.");
        return new BenchServer(name, process, int.Parse(ready[1], CultureInfo.InvariantCulture), int.Parse(ready[2], CultureInfo.InvariantCulture));
    }

    /// <param name="args">With <c>{port}</c> where the port goes.</param>
    /// <returns>Null when the program is not there.</returns>
    public static BenchServer? TryOther(string name, string program, params string[] args)
    {
        var port = LoopbackPorts.FindFree();
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in args)
        {
            start.ArgumentList.Add(argument.Replace("{port}", port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
        }
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var server = new BenchServer(name, process, port, 0);
        server.WaitForPort();
        return server;
    }

    public void Dispose()
    {
        try
        {
            _process.Kill();
            _process.WaitForExit();
        }
        catch (InvalidOperationException)
        {
            // It has ended.
        }
        _process.Dispose();
    }

    private void WaitForPort()
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                probe.Connect(IPAddress.Loopback, Port);
                return;
            }
            catch (SocketException) when (clock.Elapsed < StartTimeout && !_process.HasExited)
            {
                Thread.Sleep(50);
            }
        }
    }
}
