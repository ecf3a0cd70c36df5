import type { Texts } from '../texts.js';

export const inFlight: Texts['inFlight'] = {
  title: 'En curso',
  about:
    'Peticiones que se ejecutan ahora, y las unidades que cada una ha reservado. La lista se actualiza sola.',
  search: 'Buscar por usuario o acción',
  caption: 'Reservas de peticiones en curso',
  columns: {
    user: 'Usuario',
    action: 'Acción',
    units: 'Reservado',
    since: 'Desde',
    expires: 'Termina sola',
  },
  charge: (units, quota) => `${units} de ${quota}`,
  empty: {
    title: 'Nada en curso',
    text: 'Ninguna petición tiene unidades reservadas en este momento.',
  },
  release: 'Liberar',
  releaseOf: (user, action) => `Liberar lo que ${user} ha reservado para ${action}`,
  dialog: {
    title: (user, action) => `¿Liberar lo que ${user} ha reservado para ${action}?`,
    text: (charges) => `Otros pueden consumir enseguida ${charges}.`,
    later: 'La petición sigue. Si termina después, lo que costó de verdad se cobra igualmente.',
  },
  done: (user) => `Se ha liberado lo que ${user} tenía reservado.`,
};
