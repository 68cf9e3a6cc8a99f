using System.Diagnostics;
using Ferry.Transfer.Ucx;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.Benchmarks.Ucx;

/// <summary>The other end, a process of its own: memory that may be read and written, and a worker that serves it.</summary>
internal sealed class UcxServerProcess : IDisposable
{
    public const string Role = "transfer-ucx-server";

    /// <summary>Stand for the two processes where reads go by messages, as agents' probe tokens do.</summary>
    public static readonly UInt128 ServerToken = 1;
    public static readonly UInt128 ClientToken = 2;

    private readonly Process _process;

    private UcxServerProcess(Process process, byte[] worker)
    {
        _process = process;
        Worker = worker;
    }

    public byte[] Worker { get; }

    public static UcxServerProcess Start(string transports)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", typeof(UcxServerProcess).Assembly.Location, Role, transports])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        foreach (var (name, value) in UcxEnvironment.Values)
        {
            start.Environment[name] = value;
        }
        var process = Process.Start(start)!;
        return new UcxServerProcess(process, Convert.FromHexString(ReadLine(process)));
    }

    /// <summary>Has it allocate new memory in place of what it lent before.</summary>
    /// <param name="client">The worker that reads it; the same each time.</param>
    public (byte[] Key, ulong Address) Lend(long bytes, UcxWorker client)
    {
        _process.StandardInput.WriteLine($"{bytes} {Convert.ToHexString(client.Address.Span)}");
        _process.StandardInput.Flush();
        var words = ReadLine(_process).Split(' ');
        return (Convert.FromHexString(words[0]), ulong.Parse(words[1]));
    }

    /// <summary>What runs in it: says how it is reached, lends as many bytes as each line asks for and serves until its input ends.</summary>
    public static void Run(string[] args) => RunAsync(args[0]).GetAwaiter().GetResult();

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(10)))
        {
            _process.Kill();
        }
        _process.Dispose();
    }

    private static string ReadLine(Process process) => process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The server process ended.");

    private static async Task RunAsync(string transports)
    {
        using var context = UcxContext.Create(new UcxOptions { Transports = transports });
        await using var worker = await UcxWorker.StartAsync(context, NullLogger.Instance);
        await Cores.PinAsync(worker, Cores.Server);
        await worker.ReadByMessagesAsync(ServerToken);
        Console.WriteLine(Convert.ToHexString(worker.Address.Span));
        UcxMemory? memory = null;
        UcxEndpoint? client = null;
        while (await Console.In.ReadLineAsync() is { } line)
        {
            var words = line.Split(' ');
            if (client is not null)
            {
                await client.DisposeAsync(); // UCX pairs it with the client's endpoint of that round, and ends it with that.
            }
            client = await worker.ConnectAsync(Convert.FromHexString(words[1]), peer: ClientToken);
            memory = await worker.CallAsync(() => Replace(worker, memory, context.Allocate(long.Parse(words[0]))));
            Console.WriteLine($"{Convert.ToHexString(memory.PackedKey)} {(ulong)memory.Address}");
        }
        await worker.DisposeAsync();
        memory?.Dispose();
    }

    private static UcxMemory Replace(UcxWorker worker, UcxMemory? old, UcxMemory memory)
    {
        if (old is not null)
        {
            worker.Answers!.Withdraw(old);
            old.Dispose();
        }
        worker.Answers!.Publish(memory);
        return memory;
    }
}
