import { pluralIn } from '../plural.js';
import type { Texts } from '../texts.js';

const count = pluralIn('es');

export const history: Texts['history'] = {
  title: 'Historial de uso',
  about: (zone) => `Lo consumido y lo rechazado, hasta la última petición. Los días son los de ${zone}.`,
  period: 'Intervalo',
  periods: {
    '7d': '7 días',
    '30d': '30 días',
    '90d': '90 días',
    cycle: 'Este periodo',
    'last-month': 'El mes pasado',
    year: 'Año',
  },
  by: 'Por',
  dimensions: {
    action: 'Acción',
    user: 'Usuario',
    group: 'Grupo',
    model: 'Modelo',
    key: 'Clave de API',
    quota: 'Cuota',
  },
  none: {
    action: 'Sin acción',
    user: 'Sin usuario',
    group: 'Sin grupo',
    model: 'Sin modelo',
    key: 'Sin clave de API',
    quota: 'Sin cuota',
  },
  measure: 'Mostrar',
  measures: {
    units: 'Unidades',
    raw: 'En bruto, sin pesos',
    refused: 'Peticiones rechazadas',
  },
  requests: 'peticiones',
  single: { day: 'Por día', week: 'Por semana' },
  intervals: { hour: 'Hora', day: 'Día', week: 'Semana desde', cycle: 'Periodo desde', total: 'Tiempo' },
  caption: (measure, quotas, by) => `${measure} de ${quotas} en el tiempo, por ${by.toLowerCase()}`,
  sums: 'Sumas de este tiempo',
  sumsBy: (by) => `Sumas por ${by.toLowerCase()}`,
  columns: { units: 'Unidades', share: 'Parte', raw: 'Bruto', refused: 'Rechazos' },
  more: (number) => count(number, { one: 'Hay # más en el CSV.', other: 'Hay # más en el CSV.' }),
  groupNote: 'La petición de un usuario de varios grupos se cuenta en cada uno de ellos.',
  longer: 'Aquí hay demasiadas cifras para días sueltos; el CSV las tiene.',
  nothing: {
    consumed: {
      title: 'Sin consumo',
      text: 'No hubo consumo en este tiempo. Elija un intervalo más largo u otra cuota.',
    },
    refused: { title: 'Sin rechazos', text: 'No se rechazó ninguna petición en un límite en este tiempo.' },
  },
};
