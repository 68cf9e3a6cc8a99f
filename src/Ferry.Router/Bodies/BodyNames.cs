namespace Ferry.Router.Bodies;

/// <summary>Members that the router writes, as they are written.</summary>
internal static class BodyNames
{
    public static readonly byte[] Prompt = "\"prompt\":"u8.ToArray();
    public static readonly byte[] MaxTokens = "\"max_tokens\":"u8.ToArray();
    public static readonly byte[] MaxCompletionTokens = "\"max_completion_tokens\":"u8.ToArray();
    public static readonly byte[] MaxOutputTokens = "\"max_output_tokens\":"u8.ToArray();
    public static readonly byte[] Stream = "\"stream\":"u8.ToArray();
    public static readonly byte[] Store = "\"store\":"u8.ToArray();
    public static readonly byte[] Count = "\"n\":"u8.ToArray();
    public static readonly byte[] Seed = "\"seed\":"u8.ToArray();
    public static readonly byte[] Echo = "\"echo\":"u8.ToArray();
    public static readonly byte[] TransferParams = "\"kv_transfer_params\":"u8.ToArray();
    public static readonly byte[] XArgs = "\"vllm_xargs\":"u8.ToArray();
    public static readonly byte[] RemoteHost = "\"remote_host\":"u8.ToArray();

    public static readonly byte[] Zero = "0"u8.ToArray();
    public static readonly byte[] One = "1"u8.ToArray();
    public static readonly byte[] False = "false"u8.ToArray();
    public static readonly byte[] True = "true"u8.ToArray();

    /// <summary>
    /// What only an engine's peers may say: each names hosts that the engine would dial. Never from a client, on either leg.
    /// </summary>
    public static readonly byte[][] Internal = ["kv_transfer_params"u8.ToArray(), "ec_transfer_params"u8.ToArray()];
}
