namespace Ferry.TestKit.Router;

/// <summary>Which connector's kv_transfer_params a fake pod returns.</summary>
public enum FakeKv
{
    /// <summary>vLLM main's NixlConnector: block ids in groups, remote_request_id.</summary>
    Pull,

    /// <summary>vLLM 0.11's: flat block ids, no remote_request_id.</summary>
    PullFlat,

    /// <summary>NixlPushConnector.</summary>
    Push,

    /// <summary>Ferry's exchange.</summary>
    Ferry,

    /// <summary>None: no connector, or LMCache.</summary>
    Null,
}
