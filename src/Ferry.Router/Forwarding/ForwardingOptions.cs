namespace Ferry.Router.Forwarding;

/// <summary>Bounds of what the two legs may take.</summary>
public sealed record ForwardingOptions
{
    /// <summary>Longest reply of a prefill leg; its kv_transfer_params list one number a block.</summary>
    public int MaxPrefillReplyBytes { get; init; } = 16 << 20;

    /// <summary>Longest answer in one piece that is looked into (usage, failures); the rest of a longer one passes unseen.</summary>
    public int MaxInspectedAnswerBytes { get; init; } = 16 << 20;

    /// <summary>Longest line of an event stream that is looked into; a longer one passes unseen.</summary>
    public int MaxEventBytes { get; init; } = 1 << 20;

    /// <summary>Most pairs of legs of one request (prompts times choices); more go to the decode node as they are.</summary>
    public int MaxFanOut { get; init; } = 256;

    /// <summary>Pairs of legs of one request at a time.</summary>
    public int FanOutConcurrency { get; init; } = 8;

    /// <summary>Prefill legs tried before the decode node gets the whole work.</summary>
    public int PrefillAttempts { get; init; } = 2;

    /// <summary>Decode legs tried before the client gets the error.</summary>
    public int DecodeAttempts { get; init; } = 3;

    /// <summary>Pause before a node that has just failed is tried again because there is no other.</summary>
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Longest prefill leg.</summary>
    public TimeSpan PrefillTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Longest wait for the first byte of a decode leg. A whole answer has its first byte when it is complete.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Longest pause after the first byte, of the node or of the client; each byte starts it anew.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Longest request at all, from its arrival.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromHours(6);

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>False: when no prefill node does its leg the request fails with 503 instead of going to the decode node alone.</summary>
    public bool AllowDecodeOnly { get; init; } = true;

    /// <summary>True: a request whose prefill leg brought no KV to hand over fails with 502.</summary>
    public bool RequireTransfer { get; init; }

    /// <summary>One of <see cref="Connectors.ConnectorProfiles.Names"/>.</summary>
    public string Connector { get; init; } = "auto";

    /// <summary>Prefill nodes whose push connector is known beforehand, so that both legs start together.</summary>
    public IReadOnlyList<Connectors.PushTarget> PushTargets { get; init; } = [];

    /// <summary>Networks (10.0.0.0/8) whose header x-prefiller-host-port is followed; from anybody else it is dropped.</summary>
    public IReadOnlyList<System.Net.IPNetwork> PrefillerHeaderPeers { get; init; } = [];

    /// <summary>Certificates towards clients and nodes.</summary>
    public TlsOptions Tls { get; init; } = new();

    /// <summary>Where spans go by OTLP over HTTP, for example http://127.0.0.1:4318; empty: nowhere.</summary>
    public string OtlpEndpoint { get; init; } = "";
}
