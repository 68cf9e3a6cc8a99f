using System.Net.Sockets;
using System.Text;

namespace Ferry.Cluster.Verification.Probes;

/// <summary>Every <c>ferry cache</c> answers its engines' protocol, and asks for a password where it should.</summary>
internal sealed class ExchangeProbe : IProbe
{
    private const int ReplyBytesMax = 512;
    private const string PasswordVariable = "FERRY_RESP_PASSWORD";

    public string Id => "exchange";

    public string Title => "every exchange answers its engines";

    public TimeSpan Timeout => TimeSpan.FromSeconds(10);

    public IEnumerable<ProbeTask> Tasks(VerifyCluster cluster) => cluster.Exchanges
        .Where(exchange => exchange.PortOf("resp") is not null)
        .Select(exchange => new ProbeTask(exchange.Name, token => RunAsync(cluster, exchange, token)));

    private static async Task<ProbeAnswer> RunAsync(VerifyCluster cluster, VerifyTarget exchange, CancellationToken cancellationToken)
    {
        var (host, port) = (exchange.Address, exchange.PortOf("resp")!.Value);
        var secret = exchange.Planned.Secrets.FirstOrDefault(one => one.Variable == PasswordVariable);
        var password = SecretReader.TryRead(secret, cluster.Options.Variables);
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(host, port, cancellationToken);
            var open = await AskAsync(socket, ["PING"], cancellationToken);
            if (open.StartsWith("+PONG", StringComparison.Ordinal))
            {
                return secret is not null
                    ? ProbeAnswer.Violation($"{host}:{port} answers without a password, and it should have one.", "Start it with its password: whoever reaches the port can change the KV, and so the answers.")
                    : await PeersAsync(socket, exchange, $"{host}:{port} answers PING", cancellationToken);
            }
            if (!open.StartsWith("-NOAUTH", StringComparison.Ordinal))
            {
                return ProbeAnswer.Violation($"{host}:{port} answers PING with '{HttpAnswers.Shorten(open)}': no exchange.");
            }
            if (password is null)
            {
                return ProbeAnswer.Inconclusive($"{host}:{port} is there and asks for a password, which cannot be read here{(secret is null ? "" : $" ({SecretReader.Place(secret)})")}.", "Run ferry verify where it is.");
            }
            var known = await AskAsync(socket, ["AUTH", password], cancellationToken);
            return known.StartsWith("+OK", StringComparison.Ordinal)
                ? await PeersAsync(socket, exchange, $"{host}:{port} takes its password", cancellationToken)
                : ProbeAnswer.Violation($"{host}:{port} refuses the password at {(secret is null ? "no place" : SecretReader.Place(secret))}.");
        }
        catch (SocketException exception)
        {
            return ProbeAnswer.Violation($"{host}:{port}: {exception.Message}.", "Start the exchange: without it every chunk is computed anew.");
        }
    }

    /// <summary>Where exchanges read from each other, each must answer as a peer.</summary>
    private static async Task<ProbeAnswer> PeersAsync(Socket socket, VerifyTarget exchange, string pass, CancellationToken cancellationToken)
    {
        if (!exchange.Planned.Arguments.Any(argument => argument.Words[0] == "--peer"))
        {
            return ProbeAnswer.Pass(pass);
        }
        var answer = await AskAsync(socket, ["FERRY.PEER", "1"], cancellationToken);
        return answer.StartsWith("*2", StringComparison.Ordinal)
            ? ProbeAnswer.Pass($"{pass}, and answers its peers")
            : ProbeAnswer.Violation($"the exchange answers a peer with '{HttpAnswers.Shorten(answer)}'.", "Give all exchanges one version of Ferry: as it is, no other finds what this one holds.");
    }

    private static async Task<string> AskAsync(Socket socket, string[] words, CancellationToken cancellationToken)
    {
        var question = new StringBuilder($"*{words.Length}\r\n");
        foreach (var word in words)
        {
            question.Append($"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
        }
        await socket.SendAsync(Encoding.UTF8.GetBytes(question.ToString()), cancellationToken);
        var reply = new byte[ReplyBytesMax];
        var held = 0;
        while (held < reply.Length && !reply.AsSpan(0, held).Contains((byte)'\n') && await socket.ReceiveAsync(reply.AsMemory(held), cancellationToken) is var count and > 0)
        {
            held += count;
        }
        return Encoding.UTF8.GetString(reply, 0, held);
    }
}
