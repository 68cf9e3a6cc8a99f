namespace Ferry.Transfer.Ucx;

/// <summary>Native objects of UCX that this process holds; all zero once everything was disposed.</summary>
internal readonly record struct UcxHandleCounts(int Contexts, int Workers, int Endpoints, int Memories, int Keys, int Requests)
{
    private static int _contexts;
    private static int _workers;
    private static int _endpoints;
    private static int _memories;
    private static int _keys;
    private static int _requests;

    public static UcxHandleCounts Now => new(
        Volatile.Read(ref _contexts), Volatile.Read(ref _workers), Volatile.Read(ref _endpoints), Volatile.Read(ref _memories),
        Volatile.Read(ref _keys), Volatile.Read(ref _requests));

    public static void Context(int change) => Interlocked.Add(ref _contexts, change);

    public static void Worker(int change) => Interlocked.Add(ref _workers, change);

    public static void Endpoint(int change) => Interlocked.Add(ref _endpoints, change);

    public static void Memory(int change) => Interlocked.Add(ref _memories, change);

    public static void Key(int change) => Interlocked.Add(ref _keys, change);

    public static void Request(int change) => Interlocked.Add(ref _requests, change);
}
