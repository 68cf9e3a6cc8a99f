using System.Net.Sockets;
using Ferry.Cache.Tiers.Disk;
using Ferry.Engine.Chat;
using Ferry.Engine.Generation;
using Ferry.Engine.Model;
using Ferry.Engine.Tokenization;
using Ferry.Serving.Exchange;
using Ferry.Serving.Options;
using Ferry.Transfer;
using Ferry.Transfer.Host;
using Ferry.Transfer.Media;
using Ferry.Transfer.Tcp;
using Microsoft.Extensions.Logging;

namespace Ferry.Serving.Hosting;

/// <summary>One whole node: engine, exchange, transfer agent and HTTP server, made from options. Disposing ends them in the right order.</summary>
public sealed class ServeNode : IAsyncDisposable
{
    private const int MaxTemplateBytes = 1 << 20;

    private readonly ServeHost _host;
    private readonly ILlmEngine _engine;
    private readonly IKvExchange? _exchange;
    private readonly ILoggerFactory _loggers;

    private ServeNode(ServeHost host, ILlmEngine engine, IKvExchange? exchange, ILoggerFactory loggers)
    {
        _loggers = loggers;
        _host = host;
        _engine = engine;
        _exchange = exchange;
    }

    /// <summary>Where clients reach it.</summary>
    public Uri Address => _host.Address;

    /// <summary>One line for people: the model, the shape of its KV, the exchange.</summary>
    public string Description
    {
        get
        {
            var info = _engine.Info;
            var shape = $"{info.ModelName}, {info.Device.Name}: block {info.BlockTokens}, TP {info.TensorParallelSize}, {info.BlockCount} blocks, context {info.MaxModelLen}";
            return _exchange is null ? $"{shape}, no exchange" : $"{shape}; exchange: {_exchange.Description}";
        }
    }

    /// <summary>Loads the model, opens the exchange and listens.</summary>
    /// <exception cref="Exception">See <see cref="IsUserError"/>: settings, files or ports that do not fit.</exception>
    public static async Task<ServeNode> StartAsync(ServeOptions options, TimeProvider clock, Action<ILoggingBuilder> logging, CancellationToken cancellationToken)
    {
        var loggers = LoggerFactory.Create(logging);
        KvExchange? exchange = null;
        ConfiguredEngine? engine = null;
        DiskTier? disk = null;
        try
        {
            var template = ReadTemplate(options.ChatTemplatePath);
            // Before the model, which takes longer: a value that moves nothing here is told at once.
            var media = options.Exchange is { } asked ? StartedMedia.Choose(asked.Transports.UcxTls, asked.Transports.Preference) : null;
            if (media is { Errors.Count: > 0 })
            {
                throw new TransferConfigurationException(string.Join(Environment.NewLine, media.Errors));
            }
            var engineId = options.Exchange?.EngineId ?? Guid.NewGuid().ToString("D");
            if (options.Exchange?.Disk is { } place)
            {
                disk = await DiskTier.OpenAsync(place.ToOptions(options.Exchange.Policy), clock, loggers.CreateLogger<DiskTier>(), cancellationToken);
            }
            var loaded = LlmEngine.Load(
                options.Model, options.Engine,
                fingerprint => options.Exchange is { } settings ? exchange = new KvExchange(
                    KvExchangeOptions.From(settings, fingerprint, engineId) with { SharesMemory = media!.Media.Contains("shm") }, clock, loggers, disk) : null,
                clock, loggers);
            engine = new ConfiguredEngine(loaded, template is null ? null : ChatTemplate.Parse(template, loaded.Tokenizer.BosToken, loaded.Tokenizer.EosToken), options.UseGenerationConfig);
            if (exchange is not null)
            {
                if (options.Exchange!.Events is { } events)
                {
                    exchange.Publish(events);
                }
                await OpenAsync(exchange, engineId, options.Exchange!, media!, clock, loggers, cancellationToken);
            }
            var host = await ServeHost.StartAsync(options, engine, exchange?.Reports, exchange?.Cache, clock, logging, cancellationToken);
            return new ServeNode(host, engine, exchange, loggers);
        }
        catch
        {
            if (engine is not null)
            {
                await engine.DisposeAsync();
            }
            if (exchange is not null)
            {
                await exchange.DisposeAsync();
            }
            else if (disk is not null)
            {
                await disk.DisposeAsync();
            }
            loggers.Dispose();
            throw;
        }
    }

    /// <summary>Whether an exception of <see cref="StartAsync"/> is about settings, files or ports: its message is all that the user needs.</summary>
    public static bool IsUserError(Exception exception) => exception is
        EngineOptionsException or ModelLoadException or TokenizerException or ChatTemplateException or TransferConfigurationException or
        IOException or SocketException or UnauthorizedAccessException or ArgumentException or DiskTierException;

    /// <summary>Refuses new requests and gives running ones until <paramref name="cancellationToken"/>.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => _host.StopAsync(cancellationToken);

    /// <summary>Server first, so that nothing new comes in; then the engine; the exchange last, since the engine's loads end in it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _engine.DisposeAsync();
        if (_exchange is not null)
        {
            await _exchange.DisposeAsync();
        }
        _loggers.Dispose();
    }

    private static async Task OpenAsync(
        KvExchange exchange, string engineId, ExchangeSettings settings, MediaPlan plan, TimeProvider clock, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var media = await StartedMedia.StartAsync(plan, settings.Transports.UcxTls, loggers.CreateLogger<TcpTransferAgent>());
        if (!media.ReachesOthers)
        {
            return;   // "self" alone: nothing can be handed over, the cache works
        }
        await exchange.StartAsync(
            async (description, handler, token) => await TcpTransferAgent.StartAsync(
                new TcpAgentOptions
                {
                    EngineId = engineId,
                    Kv = description,
                    Handler = handler,
                    Host = settings.SideChannelHost,
                    Port = settings.SideChannelPort,
                    SharedSecret = settings.SharedSecret,
                    Tls = settings.Tls,
                    Media = media.Media,
                    AllowBytesOverTcp = media.AllowBytesOverTcp,
                    Clock = clock,
                    Logger = loggers.CreateLogger<TcpTransferAgent>(),
                },
                token),
            [.. plan.Media.Where(medium => medium != "self")],
            cancellationToken);
    }

    private static string? ReadTemplate(string? path)
    {
        if (path is null)
        {
            return null;
        }
        var byteCount = new FileInfo(path).Length;
        return byteCount <= MaxTemplateBytes
            ? File.ReadAllText(path)
            : throw new IOException($"--chat-template {path} has {byteCount} bytes; at most {MaxTemplateBytes} are read.");
    }
}
