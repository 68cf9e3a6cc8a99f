using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Ferry.Transfer.Nixl;

namespace Ferry.TestKit.Transfer;

/// <summary>The other side of the tests of <see cref="NixlAgent"/>: does what notifications tell it. tests/lab/nixl-peer.py does the same with a real NIXL agent.</summary>
/// <remarks>
/// <c>echo TEXT</c>: says TEXT. <c>sum</c>: says the sum of its memory's bytes. <c>pull ADDRESS BYTES</c>: reads that memory of the teller into
/// its own, inverts every bit there, writes it back and says <c>pulled</c>.
/// </remarks>
public sealed class NixlTestPeer : IAsyncDisposable
{
    private readonly byte[] _bytes;
    private readonly CancellationTokenSource _stopping = new();
    private readonly NixlMemory _memory;
    private readonly Task _obeying;
    private int _disposed;

    private NixlTestPeer(NixlAgent agent, byte[] bytes)
    {
        Agent = agent;
        _bytes = bytes;
        _memory = agent.Register(Marshal.UnsafeAddrOfPinnedArrayElement(bytes, 0), bytes.Length);
        _obeying = ObeyAsync(_stopping.Token);
    }

    public NixlAgent Agent { get; }

    public Span<byte> Bytes => _bytes;

    public static async Task<NixlTestPeer> StartAsync(NixlAgentOptions options, int bytes) =>
        new(await NixlAgent.StartAsync(options), GC.AllocateArray<byte>(bytes, pinned: true));

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }
        await _stopping.CancelAsync();
        await _obeying;
        await Agent.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task ObeyAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                var told = await Agent.ReceiveAsync(stopping);
                // The side channel has no answer: a first word may come before its teller's metadata has been loaded.
                NixlPeer? teller;
                while ((teller = Agent.TryFind(told.AgentName)) is null)
                {
                    await Task.Delay(10, stopping);
                }
                await teller.NotifyAsync(Encoding.UTF8.GetBytes(await ObeyOneAsync(teller, Encoding.UTF8.GetString(told.Message.Span).Split(' ', 2), stopping)));
            }
        }
        catch (OperationCanceledException)
        {
            // The peer closes.
        }
    }

    private async Task<string> ObeyOneAsync(NixlPeer teller, string[] words, CancellationToken stopping)
    {
        switch (words[0])
        {
            case "echo":
                return words[1];
            case "sum":
                return _bytes.Sum(one => (long)one).ToString(CultureInfo.InvariantCulture);
            case "pull":
                var numbers = words[1].Split(' ').Select(word => ulong.Parse(word, CultureInfo.InvariantCulture)).ToArray();
                NixlMove[] moves = [new NixlMove(_memory, 0, new NixlDescriptor(numbers[0], numbers[1], 0))];
                var read = await teller.ReadAsync(moves, default, stopping);
                for (var index = 0; index < (int)numbers[1]; index++)
                {
                    _bytes[index] = (byte)~_bytes[index];
                }
                var written = await teller.WriteAsync(moves, default, stopping);
                return read.IsSuccess && written.IsSuccess ? "pulled" : $"{read} / {written}";
            default:
                return $"unknown: {words[0]}";
        }
    }
}
