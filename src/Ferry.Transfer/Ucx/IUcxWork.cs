namespace Ferry.Transfer.Ucx;

/// <summary>Something to do on the worker's thread, which alone may call UCX for its worker.</summary>
internal interface IUcxWork
{
    /// <summary>Must neither block nor throw.</summary>
    void Run();
}
